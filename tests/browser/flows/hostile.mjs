// Mails that want to do harm are opened one after the other. That no byte comes from elsewhere and that the policy is never
// even tried is seen by the harness, for every page; here, that no script ran and that the page around the mail is whole.
import assert from 'node:assert/strict';
import { log_in } from '../people.mjs';

export default async function (t) {
  await log_in(t, 'anna');
  for (const { number, name, shows } of t.config.mails) {
    for (const mode of ['', '?show=text']) {
      await t.step(`${name} ${mode}`);
      await t.visit(`/documents/${number}${mode}`);
      const page = await t.page.evaluate((mark) => ({
        harmed: mark in window,
        tabs: document.querySelectorAll('nav.tabs a').length,
        bars: document.querySelectorAll('header.bar').length,
        scripts: document.scripts.length,
        forms: [...document.forms].map((form) => new URL(form.action).origin),
        address: location.pathname,
      }), t.config.mark);
      assert.deepEqual(page, {
        harmed: false, tabs: 4, bars: 1, scripts: 1, forms: page.forms.map(() => t.origin), address: `/documents/${number}`,
      }, name);
      const inner = t.page.frames().slice(1);
      for (const frame of inner) {
        const found = await frame.evaluate(() => ({
          bad: document.querySelectorAll('script, iframe, frame, object, embed, form, input, base, meta[http-equiv=refresh], svg, math, link').length,
          handlers: [...document.querySelectorAll('*')].filter((one) => [...one.attributes].some((a) => /^on/i.test(a.name))).length,
        }));
        assert.deepEqual(found, { bad: 0, handlers: 0 }, name);
      }
      if (shows && mode === '') {
        const words = inner.length ? await inner[0].evaluate(() => document.body.innerText) : await t.text();
        assert.ok(words.includes(t.config.visible), `${name} shows its text: ${words.slice(0, 200)}`);
      }
    }
  }
  for (const page of ['/', '/?q=hostile']) {
    await t.visit(page);
    await t.noSidewaysScroll();
  }
}
