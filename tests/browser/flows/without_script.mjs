// All but Ctrl+C works in a browser that runs no script.
import assert from 'node:assert/strict';
import { log_in } from '../people.mjs';

export default async function (t) {
  await t.page.setJavaScriptEnabled(false);
  await log_in(t, 'anna');
  await t.type('#q', 'neuigkeiten');
  await t.press('Enter', { leads: true });
  await t.click('tbody a', { leads: true });
  await t.shows('Ansicht', 'nav.tabs');
  assert.match(await t.value('#access-link'), /^\d+: Nordlicht .*\nhttps:\/\/.*\/perl\/avclient\/index\.pl\?target=new&go=\d+$/);
  await t.lacks({ role: 'button', name: 'Zugriffslink kopieren' });

  await t.step('a note');
  await t.click({ role: 'link', name: 'Felder' }, { leads: true });
  await t.type({ role: 'textbox', name: 'Notiz' }, 'ohne Skript');
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true });
  await t.shows('ohne Skript');

  await t.step('links of several documents');
  await t.visit('/');
  for (const box of (await t.all('tbody input[type=checkbox]')).slice(0, 2)) await box.click();
  await t.click({ role: 'button', name: 'Zugriffslinks kopieren' }, { leads: true });
  assert.equal((await t.value('textarea')).split('\n\n').length, 2);

  await t.step('an upload');
  await t.visit('/upload');
  await t.upload('input[type=file]', ...t.config.files);
  await t.click({ role: 'button', name: 'Hochladen' }, { leads: true });
  await t.shows(/archiviert/);

  await t.step('administration: a run, and its end');
  await t.visit('/admin/sources/muster');
  await t.click({ role: 'button', name: 'Jetzt archivieren: muster' }, { leads: true });
  await t.shows('Vollständig');
}
