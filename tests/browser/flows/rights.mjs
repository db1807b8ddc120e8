// Groups, the matrix of rights with two hundred mailboxes, and a definition that ends: wide and at 360 px, light and dark.
import assert from 'node:assert/strict';
import { log_in } from '../people.mjs';

const EACH = [[1440, 'light'], [360, 'dark']];

export default async function (t) {
  const look = async (name) => {
    for (const [width, theme] of EACH) {
      await t.viewport(width);
      await t.theme(theme);
      await t.noSidewaysScroll();
      await t.axe();
      await t.shot(`rights-${name}`, { whole: true });
    }
    await t.viewport(1440);
    await t.theme('light');
  };

  await log_in(t, 'anna', '/admin/users');
  await look('users');

  await t.step('a group');
  await t.click({ role: 'link', name: 'Gruppen' }, { leads: true });
  await t.type('#group', 'a/b');
  await t.click({ role: 'button', name: 'Hinzufügen' }, { leads: true, status: 400 });
  await t.shows('Der Name einer Gruppe hat Buchstaben');
  await t.type('#group', 'Verkauf Süd');
  await t.click('input[name="member"][value="u01"]');
  await t.click('input[name="member"][value="u02"]');
  await t.click({ role: 'button', name: 'Hinzufügen' }, { leads: true });
  await t.shows('u01, u02', 'table');
  await look('groups');
  await t.click({ role: 'link', name: 'Verkauf Süd' }, { leads: true });
  await look('group');

  await t.step('the matrix, page by page and filtered');
  await t.visit('/admin/rights');
  assert.equal(await t.count('.matrix input[type=checkbox]'), 50 * 12);
  await look('matrix');
  await t.type('#mailboxes', 'm017');
  await t.click({ role: 'button', name: 'Filtern' }, { leads: true });
  const box = 'input[name="is"][aria-label$=": Verkauf Süd"]';
  await t.click(box);
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true });
  await t.shows('Gespeichert.');
  assert.equal(await (await t.find(box)).evaluate((one) => one.checked), true);
  await t.shows('durch Gruppe', '.matrix');
  await look('matrix-filtered');

  await t.step('somebody leaves');
  await t.visit('/admin/sources/company');
  await t.click({ role: 'link', name: 'Definition beenden' }, { leads: true });
  await look('end');
  await t.choose('#owner', 'Verkauf Süd');
  await t.click({ role: 'button', name: 'Beenden' }, { leads: true });
  await t.shows('Die Definition ist beendet.');
  await t.visit('/admin/sources');
  await t.shows('Verkauf Süd', '#ended');
  await look('ended');
  await t.click({ role: 'link', name: 'company' }, { leads: true });
  await t.click({ role: 'link', name: 'Wieder aufnehmen' }, { leads: true });
  await t.click({ role: 'button', name: 'Wieder aufnehmen' }, { leads: true, status: 400 });
  await t.shows('Kreuzen Sie zur Bestätigung das Kästchen an.');
  await look('resume');
}
