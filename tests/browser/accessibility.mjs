// axe-core on a page as it is shown.

import fs from 'node:fs';

const RULES = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const FAILS = new Set(['serious', 'critical']);

// What axe finds in the top frame, outside of the elements that `exclude` names: { failing, others }, as lines. It runs in a
// world of its own, where the page's policy does not hold and nothing of the page is changed.
export async function violations(page, file, exclude) {
  const devtools = await page.createCDPSession();
  try {
    const { frameTree } = await devtools.send('Page.getFrameTree');
    const world = await devtools.send('Page.createIsolatedWorld', { frameId: frameTree.frame.id, worldName: 'axe' });
    const evaluate = async (expression) => {
      const how = { expression, contextId: world.executionContextId, awaitPromise: true, returnByValue: true };
      // Where no script may run at all, not even in a world of its own, there would never be an answer.
      const late = new Promise((_, reject) => setTimeout(() => reject(new Error('axe gave no answer in 30 s')), 30_000).unref());
      const { result, exceptionDetails } = await Promise.race([devtools.send('Runtime.evaluate', how), late]);
      if (exceptionDetails) throw new Error(`axe: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`);
      return result.value;
    };
    await evaluate(`${fs.readFileSync(file, 'utf8')};0`);
    const options = {
      runOnly: RULES,
      rules: { 'target-size': { enabled: true } },
      resultTypes: ['violations'],
      // What is inside a frame is somebody's mail.
      iframes: false,
    };
    const context = JSON.stringify({ exclude: exclude.map((selector) => [selector]) });
    const { violations, passes } = await evaluate(`axe.run(${context}, ${JSON.stringify(options)})`);
    if (!passes.length && !violations.length) throw new Error('axe looked at nothing');
    const line = ({ id, impact, help, nodes }) => {
      const places = nodes.slice(0, 5).map((node) => node.target.join(' ') + (node.any[0] ? ` (${node.any[0].message})` : ''));
      return `${impact} ${id}: ${help}: ${places.join(', ')}${nodes.length > 5 ? ` and ${nodes.length - 5} more` : ''}`;
    };
    return {
      failing: violations.filter((one) => FAILS.has(one.impact)).map(line),
      others: violations.filter((one) => !FAILS.has(one.impact)).map(line),
    };
  } finally {
    await devtools.detach();
  }
}
