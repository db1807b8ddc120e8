// A headless Chromium that behaves like a person with mouse and keyboard, and that watches what it is shown.
//
// A flow is a file in flows/ that exports `default async function (t)`; `t` is a `Flow`. It fails with what it throws, and
// with everything that `watch.mjs` saw although no `t.allow` names it.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { violations } from './accessibility.mjs';
import { View, until } from './view.mjs';
import { Watch, short } from './watch.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tools = path.join(root, 'target/tools/browser');
const SCREENSHOTS = path.join(root, 'target/screenshots');
const HEIGHTS = { 360: 740, 1440: 900 };

export class Flow extends View {
  // `config.origin` is what is tested; requests to `config.also` (more origins) are in order too. Everything else in it is
  // for the flow.
  static async launch(name, config) {
    const require = createRequire(path.join(tools, 'package.json'));
    const puppeteer = require('puppeteer-core');
    const watch = new Watch([config.origin, ...(config.also ?? [])]);
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'archivista-browser-'));
    const browser = await puppeteer.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      // Our certificate is our own. Nothing but the tested origins is reached at all.
      acceptInsecureCerts: true,
      // Over a pipe the browser ends with us, however we end.
      pipe: true,
      userDataDir: profile,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      args: [
        // Its sandbox does not work for root and in most containers; it sees our own pages only.
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--disable-component-update',
        '--no-default-browser-check',
        // A sandboxed frame stays in the process of its page, where all that it does is heard.
        '--disable-features=IsolateSandboxedIframes,OptimizationHints,MediaRouter,Translate',
        '--font-render-hinting=none',
        '--force-color-profile=srgb',
        ...(await watch.proxy()),
      ],
    });
    const flow = new Flow(name, config, { require, watch, browser, profile });
    browser.on('targetcreated', (target) => {
      if (target.type() === 'page') watch.waiting.push(target.page().then((page) => flow.adopt(page)));
    });
    await flow.adopt((await browser.pages())[0]);
    [flow.page] = await browser.pages();
    // Light and dark are as the device is set, whatever the archive's own layout is, until a flow takes this away.
    await browser.setCookie({ name: 'theme', value: 'auto', domain: new URL(config.origin).hostname, path: '/', secure: true });
    await flow.viewport(config.width ?? 1440);
    await flow.theme(config.theme ?? 'light');
    if (config.language) await flow.language(config.language);
    return flow;
  }

  constructor(name, config, parts) {
    super(null, () => this.page.mainFrame());
    this.flow = this;
    Object.assign(this, { name, config, ...parts });
    this.origin = new URL(config.origin).origin;
    this.adopted = new WeakMap();
    this.depth = 0;
    this.doing = 'starting';
  }

  // Every page is watched once, whoever opened it.
  adopt(page) {
    if (!page || page === this.helper) return undefined;
    if (!this.adopted.has(page)) this.adopted.set(page, this.watch.page(page));
    return this.adopted.get(page);
  }

  // Prints what is done, one line per step of the flow, and says it in front of what goes wrong within.
  async step(words, act) {
    if (this.depth === 0) {
      console.log(`  ${words}`);
      this.doing = words;
    }
    this.depth += 1;
    try {
      return await act?.();
    } finally {
      this.depth -= 1;
    }
  }

  until(words, question, patience) {
    return until(words, question, patience);
  }

  // Opens a path of the tested origin, or a whole address; it has to answer with this status.
  async visit(where, { status = 200 } = {}) {
    const address = new URL(where, this.origin).href;
    await this.step(`visit ${where}`, async () => {
      const response = await this.page.goto(address, { waitUntil: 'load' });
      this.expect(response, status);
    });
  }

  // A page that answers with this status on purpose.
  expect(response, status) {
    assert.equal(response.status(), status, `the status of ${response.url().replace(this.origin, '')}`);
    if (status < 400) return;
    const literally = short(response.url()).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    this.allow('request', new RegExp(`^${status} ${literally}$`));
    this.allow('console', new RegExp(`^Failed to load resource: .*status of ${status} .* at ${literally}`));
  }

  get address() {
    return this.page.url();
  }

  // Waits for the page that `act` leads to; it has to answer with this status.
  async leads(act, status = 200) {
    const [response] = await Promise.all([this.page.waitForNavigation({ waitUntil: 'load' }), act()]);
    // There is none where only the part behind the # changed.
    if (response) this.expect(response, status);
  }

  // Presses a key, or several held together: 'Enter', 'Control+C', '/'.
  async press(keys, { leads = false, status = 200 } = {}) {
    await this.step(`press ${keys}`, async () => {
      const parts = keys === '+' ? [keys] : keys.split('+');
      const key = parts.pop();
      const { keyboard } = this.page;
      const act = async () => {
        for (const held of parts) await keyboard.down(held);
        await keyboard.press(parts.length && !parts.includes('Shift') && key.length === 1 ? key.toLowerCase() : key);
        for (const held of parts.reverse()) await keyboard.up(held);
      };
      await (leads ? this.leads(act, status) : act());
    });
  }

  // 360 is a phone, 1440 a desk.
  async viewport(width) {
    this.width = width;
    const phone = width < 600;
    await this.page.setViewport({ width, height: HEIGHTS[width] ?? 900, isMobile: phone, hasTouch: phone });
  }

  async theme(theme) {
    this.themeName = theme;
    await this.page.emulateMediaFeatures([
      { name: 'prefers-color-scheme', value: theme },
      { name: 'prefers-reduced-motion', value: 'reduce' },
    ]);
  }

  // What the browser asks for as `Accept-Language`, such as 'de-CH'.
  async language(language) {
    // An override by DevTools would end with its session.
    await this.page.setExtraHTTPHeaders({ 'Accept-Language': language });
  }

  // Keeps a picture of what is seen; with `whole`, of the page down to its end. Returns its path.
  async shot(name, { whole = false, to } = {}) {
    const language = await this.page.evaluate(() => document.documentElement.lang || 'xx');
    const file = to ?? path.join(SCREENSHOTS, `${name}-${this.width}x${this.themeName}-${language}.png`);
    await this.step(`shot ${path.relative(root, file)}`, async () => {
      fs.mkdirSync(path.dirname(file), { recursive: true });
      await this.page.evaluate(() => document.fonts.ready.then(() => {}));
      await this.page.screenshot({ path: file, fullPage: whole });
    });
    return file;
  }

  // Nothing serious may be found; the rest is listed.
  async axe({ exclude = [] } = {}) {
    await this.step('axe finds nothing serious', async () => {
      const file = path.join(tools, 'node_modules/axe-core/axe.min.js');
      const { failing, others } = await violations(this.page, file, exclude);
      for (const line of others) console.log(`    axe, not serious: ${line}`);
      assert.deepEqual(failing, [], `axe at ${this.address}:\n${failing.join('\n')}\n`);
    });
  }

  async noSidewaysScroll() {
    await this.step(`no sideways scroll at ${this.width} px`, async () => {
      const { page, wide } = await this.page.evaluate((width) => {
        const name = (one) => one.tagName.toLowerCase() + (one.id ? `#${one.id}` : '') + [...one.classList].map((c) => `.${c}`).join('');
        const sticksOut = (one) => one.getBoundingClientRect().right > width + 1;
        const wide = [...document.body.querySelectorAll('*')].filter((one) => sticksOut(one) && !sticksOut(one.parentElement));
        return { page: document.scrollingElement.scrollWidth, wide: wide.slice(0, 5).map(name) };
      }, this.width);
      assert.ok(page <= this.width, `the page is ${page} px wide at ${this.width}, because of ${wide.join(', ') || 'its own width'}`);
    });
  }

  // The text that is on the clipboard now, as another page gets it by Ctrl+V. The tested page stays in front before and after.
  async clipboard() {
    return this.beside(async (helper) => {
      await helper.evaluate(() => {
        globalThis.pasted = undefined;
        addEventListener('paste', (event) => (globalThis.pasted = event.clipboardData.getData('text/plain')), { once: true });
      });
      await chord(helper, 'v');
      return this.until('something is pasted', async () => {
        const pasted = await helper.evaluate(() => globalThis.pasted);
        return pasted === undefined ? undefined : { pasted };
      }).then(({ pasted }) => pasted);
    });
  }

  // Puts a text on the clipboard, as by Ctrl+C in another page.
  async copyElsewhere(words) {
    await this.beside(async (helper) => {
      await helper.evaluate((text) => {
        addEventListener('copy', (event) => (event.clipboardData.setData('text/plain', text), event.preventDefault()), { once: true });
      }, words);
      await chord(helper, 'c');
    });
    assert.equal(await this.clipboard(), words, 'the clipboard works');
  }

  // Does something in a page of our own, and comes back.
  async beside(act) {
    if (!this.helper) {
      const target = new Promise((resolve) => this.browser.once('targetcreated', resolve));
      this.helper = await this.browser.newPage();
      await target;
      await this.helper.setContent('<textarea autofocus></textarea>');
    }
    await this.helper.bringToFront();
    await this.helper.focus('textarea');
    try {
      return await act(this.helper);
    } finally {
      await this.page.bringToFront();
    }
  }

  // Does something that opens a tab, and continues there. `close` ends it and returns to the tab before.
  async tab(act) {
    const opened = new Promise((resolve) => this.browser.once('targetcreated', resolve));
    await act();
    const target = await Promise.race([opened, pause(10_000).then(() => assert.fail('no tab was opened within 10 s'))]);
    const before = this.page;
    this.page = await target.page();
    await this.adopt(this.page);
    return {
      close: async () => {
        await this.page.close();
        this.page = before;
        await before.bringToFront();
      },
    };
  }

  // Does something that downloads a file, and returns it: { name, bytes }.
  async download(act) {
    const folder = fs.mkdtempSync(path.join(this.profile, 'download-'));
    const devtools = await this.browser.target().createCDPSession();
    const allowed = { behavior: 'allowAndName', downloadPath: folder, eventsEnabled: true };
    await devtools.send('Browser.setDownloadBehavior', allowed);
    let name, guid, state;
    devtools.on('Browser.downloadWillBegin', (told) => ({ guid, suggestedFilename: name } = told));
    devtools.on('Browser.downloadProgress', (told) => ({ state } = told));
    await act();
    await this.until('the download ends', () => state === 'completed' || state === 'canceled');
    await devtools.detach();
    assert.equal(state, 'completed', `the download of ${name}`);
    return { name, bytes: fs.readFileSync(path.join(folder, guid)) };
  }

  // Findings that do not fail this flow: a kind of watch.mjs and a pattern of the words.
  allow(kind, pattern) {
    this.watch.allow(kind, pattern);
  }

  // Fails with everything that was seen and must not be.
  async finish() {
    await this.step('nothing else was seen', async () => {
      const rest = await this.watch.rest();
      assert.deepEqual(rest, [], `seen, and not to be seen:\n${rest.join('\n')}\n`);
    });
  }

  // What a person needs to understand a failure.
  async explain() {
    const file = path.join(SCREENSHOTS, `failed-${this.name}.png`);
    fs.mkdirSync(SCREENSHOTS, { recursive: true });
    const words = [`at ${this.address}, ${this.width} px, ${this.themeName}`];
    try {
      await this.page.screenshot({ path: file });
      words.push(`picture: ${file}`, `shown: ${(await this.text()).slice(0, 600).replaceAll('\n', '\n       ')}`);
    } catch (error) {
      words.push(`nothing more can be told: ${error.message}`);
    }
    return [...words, ...(await this.watch.rest())].map((line) => `  ${line}`).join('\n');
  }

  async close() {
    await this.browser.close();
    fs.rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function chord(page, key) {
  await page.keyboard.down('Control');
  await page.keyboard.press(key);
  await page.keyboard.up('Control');
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds).unref());
}
