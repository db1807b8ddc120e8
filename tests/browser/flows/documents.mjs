// WebDMS as somebody uses it every day: find, look, write a note, upload, by mouse and by keys.
import assert from 'node:assert/strict';
import { log_in } from '../people.mjs';

export default async function (t) {
  await log_in(t, 'anna');

  for (const [width, theme] of [[1440, 'light'], [1440, 'dark'], [360, 'light'], [360, 'dark']]) {
    await t.viewport(width);
    await t.theme(theme);
    await t.visit('/');
    await t.noSidewaysScroll();
    await t.axe();
    await t.shot('documents');
  }
  await t.viewport(1440);
  await t.theme('light');

  await t.step('pages follow each other without a gap');
  const numbers = async () => Promise.all((await t.all('tbody td.number:not(.size)')).map((one) => one.evaluate((cell) => cell.textContent)));
  await t.visit('/');
  const seen = [];
  for (let page = 0; ; page += 1) {
    seen.push(...(await numbers()));
    if (!(await t.count('a[rel=next]'))) break;
    assert.ok(page < 50, 'an end');
    await t.click('a[rel=next]', { leads: true });
  }
  assert.equal(new Set(seen).size, seen.length, 'no document twice');
  assert.equal(seen.length, t.config.documents, 'every document');

  await t.step('search by words and by field');
  await t.visit('/');
  await t.press('/');
  await t.type('#q', 'von:muster küsnacht');
  await t.press('Enter', { leads: true });
  assert.ok((await t.count('tbody tr')) > 0, 'something is found');
  await t.shot('found');
  await t.type('#q', 'gibtesnicht');
  await t.press('Enter', { leads: true });
  await t.shows('Nichts gefunden.');
  await t.axe();

  await t.step('keys lead through the table and back');
  await t.visit('/');
  await t.press('ArrowDown');
  await t.press('ArrowDown');
  const second = (await numbers())[1];
  await t.press('Enter', { leads: true });
  assert.match(t.address, new RegExp(`/documents/${second}\\b`));
  await t.shows('Ansicht', 'nav.tabs');

  await t.step('the tabs of a mail');
  await t.visit(`/documents/${t.config.html_mail}`);
  const mail = await t.frame('iframe');
  await mail.shows(t.config.html_words);
  for (const tab of ['Felder', 'Quelltext', 'Nachweis', 'Ansicht']) {
    await t.click({ role: 'link', name: tab }, { leads: true });
    for (const [width, theme] of [[1440, 'light'], [360, 'dark']]) {
      await t.viewport(width);
      await t.theme(theme);
      await t.noSidewaysScroll();
      await t.axe({ exclude: ['iframe'] });
      await t.shot(`document-${tab.toLowerCase()}`);
    }
    await t.viewport(1440);
    await t.theme('light');
  }
  await t.click({ role: 'link', name: 'Nur Text' }, { leads: true });
  await t.lacks('iframe');
  const file = await t.download(() => t.click({ role: 'link', name: 'Mail herunterladen (.eml)' }));
  assert.match(file.name, /\.eml$/);
  assert.match(file.bytes.toString('latin1'), /^Received: /);

  await t.step('a note');
  await t.click({ role: 'link', name: 'Felder' }, { leads: true });
  await t.type({ role: 'textbox', name: 'Notiz' }, 'Wichtig für <b>Küsnacht</b>');
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true });
  await t.shows('Gespeichert.');
  await t.shows('Wichtig für <b>Küsnacht</b>');

  await t.step('files are uploaded and shown');
  await t.visit('/upload');
  await t.axe();
  await t.noSidewaysScroll();
  await t.upload('input[type=file]', ...t.config.files);
  await t.click({ role: 'button', name: 'Hochladen' }, { leads: true });
  await t.shows(/archiviert/);
  await t.visit('/?q=viastockalperhd');
  await t.click('tbody a', { leads: true });
  const video = await t.find('video');
  await t.until('the video is loaded', () => video.evaluate((one) => one.readyState >= 1 && one.videoWidth > 0));
  await t.axe();
  await t.shot('video');
  await t.visit('/?q=offerte-gross');
  await t.click('tbody a', { leads: true });
  const tab = await t.tab(() => t.click({ role: 'link', name: 'PDF öffnen' }));
  await tab.close();
  await t.shows('PDF öffnen');
}
