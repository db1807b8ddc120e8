// What a browser does beside what it is told: errors, broken rules, requests. A flow passes only if none of this was seen.

import net from 'node:net';

// Schemes that never leave the browser. The last ones are its own PDF viewer.
const INSIDE = new Set(['data:', 'blob:', 'about:', 'chrome:', 'chrome-extension:', 'chrome-untrusted:']);

// Whom Chromium calls by itself (time, updates, its own services). A page that asks for one of these is seen in `page`.
const MAKER = /^[A-Z]+ (http:\/\/)?([a-z0-9-]+\.)*(google|googleapis|gstatic|gvt1)\.com[:/]/;

// What is wrong with a page, and of which kind: 'console', 'script', 'csp', 'request', 'foreign'.
export class Watch {
  constructor(origins) {
    this.origins = new Set(origins.map((origin) => new URL(origin).origin));
    this.findings = [];
    this.allowed = [];
    this.waiting = [];
  }

  found(kind, words) {
    this.findings.push({ kind, words });
  }

  // From here on, and for what was seen already: findings of this kind whose words match do not fail the flow.
  allow(kind, pattern) {
    this.allowed.push({ kind, pattern });
  }

  // All that counts, each once, as lines.
  async rest() {
    await Promise.allSettled(this.waiting);
    const counts = ({ kind, words }) => !this.allowed.some((one) => one.kind === kind && one.pattern.test(words));
    return [...new Set(this.findings.filter(counts).map(({ kind, words }) => `${kind}: ${words}`))];
  }

  isOurs(address) {
    const url = new URL(address);
    return INSIDE.has(url.protocol) || this.origins.has(url.origin);
  }

  // Follows a page from now on.
  async page(page) {
    page.on('console', (message) => this.console(message));
    page.on('pageerror', (error) => this.found('script', `${error?.stack ?? error} at ${page.url()}`));
    page.on('request', (request) => {
      if (!this.isOurs(request.url())) this.found('foreign', `asked ${short(request.url())} from ${page.url()}`);
    });
    page.on('requestfailed', (request) => {
      const why = request.failure()?.errorText ?? 'failed';
      // The browser's own choice: a download took over, a video has enough, the page was left. Or the status says it below.
      const told = ['net::ERR_ABORTED', 'net::ERR_HTTP_RESPONSE_CODE_FAILURE'];
      if (!told.includes(why)) this.found('request', `${why} ${short(request.url())}`);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) this.found('request', `${response.status()} ${short(response.url())}`);
    });
    // Violations as the browser itself keeps them: of every frame, also of those in which no script may run, and no script of
    // ours has to be in the page for it.
    const devtools = await page.createCDPSession();
    devtools.on('Audits.issueAdded', ({ issue }) => {
      const details = issue.details.contentSecurityPolicyIssueDetails;
      if (!details) return;
      const place = details.sourceCodeLocation;
      const where = place ? ` at ${short(place.url)}:${place.lineNumber + 1}` : '';
      const what = details.blockedURL ? short(details.blockedURL) : details.contentSecurityPolicyViolationType;
      this.found('csp', `${details.violatedDirective} blocked ${what}${where}`);
    });
    await devtools.send('Audits.enable');
  }

  console(message) {
    if (message.type() !== 'error' && message.type() !== 'assert') return;
    const { url, lineNumber } = message.location();
    const where = url ? ` at ${short(url)}${lineNumber === undefined ? '' : `:${lineNumber + 1}`}` : '';
    const kind = message.text().includes('Content Security Policy') ? 'csp' : 'console';
    this.found(kind, message.text() + where);
  }

  // A proxy for everything but the tested origins, so that no request can leave unseen, whoever makes it and from
  // wherever: it tells what was asked for, and answers nothing. Returns the browser's options for it.
  async proxy() {
    const server = net.createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes) => {
        const asked = bytes.toString('latin1').split('\r\n')[0];
        if (!MAKER.test(asked)) this.found('foreign', `left the browser: ${asked}`);
        socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      });
    });
    await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve));
    server.unref();
    const hosts = [...this.origins].map((origin) => new URL(origin));
    const direct = hosts.map(({ hostname, port, protocol }) => `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`);
    return [
      `--proxy-server=http://127.0.0.1:${server.address().port}`,
      // Without the first one the browser goes directly to every port of this machine.
      `--proxy-bypass-list=<-loopback>;${direct.join(';')}`,
    ];
  }
}

export function short(address) {
  return address.length > 160 ? `${address.slice(0, 160)}…` : address;
}
