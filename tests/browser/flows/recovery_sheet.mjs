// The recovery sheet: a password, the sheet on screen and on paper, and three of its words.
import assert from 'node:assert/strict';
import fs from 'node:fs';

export default async function (t) {
  const { user, password, words, pdf } = t.config;
  const look = async (name) => {
    for (const [width, theme] of [[1440, 'light'], [360, 'dark']]) {
      await t.viewport(width);
      await t.theme(theme);
      await t.noSidewaysScroll();
      await t.axe();
      await t.shot(`recovery-sheet-${name}`, { whole: true });
    }
    await t.viewport(1440);
    await t.theme('light');
  };
  await t.visit('/login?next=/admin');
  await t.type('#user', user);
  await t.type('#password', password);
  await t.click('form button.first', { leads: true });

  await t.step('the overview leads to the sheet');
  await t.click({ role: 'link', name: 'To the recovery sheet' }, { leads: true });
  await look('asks');
  await t.type('#password', 'falsch');
  await t.click({ role: 'button', name: 'Show the sheet' }, { leads: true, status: 400 });
  await t.type('#password', password);
  await t.click({ role: 'button', name: 'Show the sheet' }, { leads: true });
  const shown = await t.page.$$eval('ol.words li', (items) => items.map((item) => item.textContent));
  assert.deepEqual(shown, words);
  await look('shown');

  await t.step('it is printed');
  fs.writeFileSync(pdf, await t.page.pdf({ format: 'A4', preferCSSPageSize: true }));
  await t.shows('Print', 'button[data-print]');

  await t.step('three of its words');
  await t.click({ role: 'link', name: 'Printed: go on' }, { leads: true });
  await look('confirm');
  const fields = await t.page.$$eval('main label', (labels) => labels.map((label) => [label.htmlFor, label.textContent]));
  for (const [id, label] of fields) await t.type(`#${id}`, words[Number(label.match(/\d+/)[0]) - 1]);
  await t.click({ role: 'button', name: 'Confirm' }, { leads: true });
  await t.shows('The recovery sheet is confirmed.');
  await t.visit('/admin');
  await t.lacks({ role: 'link', name: 'To the recovery sheet' });
}
