// Archive administration: every field is set as an administrator sets it, and its effect is seen in WebDMS.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { log_in } from '../people.mjs';

const SCREENS = [[1440, 'light'], [360, 'dark']];

export default async function (t) {
  const { folder, plan, mail } = t.config;
  await log_in(t, 'anna');

  // Looks at the page that is shown, at a desk and on a phone.
  const look = async (name) => {
    for (const [width, theme] of SCREENS) {
      await t.viewport(width);
      await t.theme(theme);
      await t.noSidewaysScroll();
      await t.axe();
      await t.shot(`fields-${name}`, { whole: true });
    }
    await t.viewport(1440);
    await t.theme('light');
  };
  const tick = async (name, on) => {
    const box = await t.find(`input[type=checkbox][name="${name}"]`);
    if ((await box.evaluate((one) => one.checked)) !== on) await t.click(`input[type=checkbox][name="${name}"]`);
  };
  // Fills in Archive administration and saves it: texts, choices and boxes by their names.
  const set = (fields) =>
    t.step(`set ${JSON.stringify(fields)}`, async () => {
      await t.visit('/admin/archive');
      for (const [name, value] of Object.entries(fields)) {
        const kind = await (await t.find(`[name="${name}"]`)).evaluate((one) => one.tagName);
        if (typeof value === 'boolean') await tick(name, value);
        else if (kind === 'SELECT') await t.choose(`#${name}`, value);
        else await t.type(`#${name}`, value);
      }
      await t.click({ role: 'button', name: 'Speichern' }, { leads: true });
      await t.shows('Gespeichert.');
    });
  const upload = (...files) =>
    t.step(`upload ${files.map((file) => path.basename(file)).join(', ')}`, async () => {
      await t.visit('/upload');
      await t.upload('input[type=file]', ...files);
      await t.click({ role: 'button', name: 'Hochladen' }, { leads: true });
      return Number(t.address.match(/\/documents\/(\d+)/)?.[1]);
    });
  const headings = async () => {
    const heads = await t.all('table.documents thead th');
    return Promise.all(heads.map((one) => one.evaluate((cell) => cell.innerText.replace(/[↓↑]/, '').trim())));
  };
  const rows = async (query = '') => {
    await t.visit(query ? `/?q=${encodeURIComponent(query)}` : '/');
    return Promise.all((await t.all('[data-row]')).map((one) => one.evaluate((row) => row.innerText.trim())));
  };

  await t.step('the page says what each field is and begins with the defaults');
  await t.visit('/admin/archive');
  for (const [name, value] of Object.entries({ usage: 'documents', layout: 'bright', field_columns: '1', title_width: '3000', publishing: '', file_name: '', versioning: '', version_key: '', combobox: '0', dns_name: '', link_title: 'media_name' })) {
    assert.equal(await t.value(`#${name}`), value, name);
    assert.ok(await t.attribute(`#${name}`, 'aria-describedby'), `${name} is explained`);
  }
  for (const [name, on] of Object.entries({ hides_extended: false, starts_reduced: false, hides_internal: false, suppresses_title: false, shows_note: true })) {
    assert.equal(await (await t.find(`[name=${name}]`)).evaluate((one) => one.checked), on, name);
    assert.ok(await t.attribute(`[name=${name}]`, 'aria-describedby'), `${name} is explained`);
  }
  await look('archive');
  await t.type('#field_columns', '4');
  await t.type('#combobox', '501');
  await t.type('#title_width', '5');
  await t.choose('#versioning', 'key');
  // The browser keeps no number back: the page says what is wrong.
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true, status: 400 });
  for (const words of ['Geben Sie 1, 2 oder 3 an.', 'von 0 bis 500', 'von 600 bis 15000', 'Wählen Sie auch das Feld für Versionsschlüssel.']) await t.shows(words);

  await t.step('fields of every kind are defined and put in order');
  await t.visit('/admin/archive');
  await t.click({ role: 'link', name: 'Felder definieren' }, { leads: true });
  for (const [name, kind, column] of [['Betreff', 'Text'], ['Betrag', 'Zahl', true], ['Kunde', 'Text', true], ['Fällig am', 'Datum', true], ['Bezahlt', 'Ja/Nein', true], ['Art', 'Auswahl', true], ['Scan', 'Text'], ['Web', 'Datum']]) {
    await t.type('#name', name);
    await t.choose('#kind', kind);
    if (kind === 'Auswahl') await t.type('#values', 'Offerte\nRechnung');
    await tick('is_column', Boolean(column));
    const wrong = name === 'Betreff';
    await t.click({ role: 'button', name: 'Feld hinzufügen' }, { leads: true, status: wrong ? 400 : 200 });
    await t.shows(wrong ? 'Dieses Wort gehört' : 'Gespeichert.');
  }
  await t.click({ role: 'button', name: 'Nach oben: Kunde' }, { leads: true });
  await t.shows(/Kunde[^]*Betrag[^]*Fällig am/, 'table');
  await look('define');
  await t.click({ role: 'link', name: 'Scan' }, { leads: true });
  await look('define-one');

  await t.step('Dateiname in Feld speichern');
  await set({ file_name: 'Scan' });
  const first = await upload(plan);
  await t.visit(`/documents/${first}/fields`);
  assert.equal(await t.value({ role: 'textbox', name: 'Scan' }), 'plan.pdf');
  const letter = await upload(mail);

  await t.step('values are checked, shown, columns and found');
  await t.visit(`/documents/${first}/fields`);
  await t.type('input[name="field:Kunde"]', 'Muster AG');
  await t.type({ role: 'textbox', name: 'Betrag' }, 'zwölf');
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true, status: 400 });
  await t.shows('Das ist keine Zahl.');
  await look('mistake');
  await t.type({ role: 'textbox', name: 'Betrag' }, '1’200.50');
  const day = await t.find('input[type=date]');
  await day.evaluate((one) => (one.value = '2026-11-21'));
  await t.click({ role: 'checkbox', name: 'Bezahlt' });
  await t.choose({ role: 'combobox', name: 'Art' }, 'Rechnung');
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true });
  await t.shows('Gespeichert.');
  await t.visit('/');
  assert.deepEqual((await headings()).filter((name) => ['Kunde', 'Betrag', 'Fällig am', 'Bezahlt', 'Art', 'Scan'].includes(name)), ['Kunde', 'Betrag', 'Fällig am', 'Bezahlt', 'Art']);
  for (const words of ['Muster AG', '1’200.50', '21.11.2026', 'Ja', 'Rechnung']) await t.shows(words, 'table.documents tbody');
  await look('columns');
  for (const query of ['kunde:muster', 'betrag:1200.5', 'betrag:>1000', '"fällig am":21.11.2026', 'bezahlt:ja', 'ART:rechnung', 'scan:plan']) {
    assert.deepEqual(await rows(query), ['plan'], query);
  }
  for (const query of ['kunde:meier', 'betrag:<1000', '"fällig am":>21.11.2026', 'art:offerte']) assert.deepEqual(await rows(query), [], query);
  assert.deepEqual(await rows('bezahlt:nein'), ['Brief']);

  await t.step('a field that is taken away is hidden with its values, and comes back');
  await t.visit('/admin/fields/Art');
  t.page.once('dialog', (dialog) => dialog.accept());
  await t.click({ role: 'button', name: 'Feld entfernen' }, { leads: true });
  await t.shows('seine Werte bleiben im Archiv');
  await t.visit(`/documents/${first}/fields`);
  await t.lacks({ role: 'combobox', name: 'Art' });
  await t.visit('/admin/fields');
  await t.click({ role: 'button', name: 'Wieder zeigen: Art' }, { leads: true });
  await t.visit(`/documents/${first}/fields`);
  assert.equal(await t.value({ role: 'combobox', name: 'Art' }), 'Rechnung');

  await t.step('Elemente in Auswahlfeldern, Anzahl Spalten, Notizfeld');
  await t.visit(`/documents/${letter}/fields`);
  assert.equal(await t.attribute('input[name="field:Kunde"]', 'list'), null);
  const columns = () => t.page.$eval('.entries', (one) => getComputedStyle(one).gridTemplateColumns.split(' ').length);
  assert.equal(await columns(), 1);
  await t.find({ role: 'textbox', name: 'Notiz' });
  for (const count of [2, 3]) {
    await set({ combobox: '5', field_columns: String(count), shows_note: false });
    await t.visit(`/documents/${letter}/fields`);
    assert.equal(await columns(), count);
  }
  const offered = await t.page.$eval('input[name="field:Kunde"]', (one) => [...one.list.options].map((option) => option.value));
  assert.deepEqual(offered, ['Muster AG']);
  await t.lacks({ role: 'textbox', name: 'Notiz' });
  await look('three-columns');

  await t.step('Hauptnutzung des Archivs');
  assert.deepEqual(await rows(), ['Brief', 'plan']);
  await set({ usage: 'mails' });
  assert.deepEqual(await rows(), ['Brief']);
  await t.click({ role: 'link', name: 'Dateien' }, { leads: true });
  assert.deepEqual(await Promise.all((await t.all('[data-row]')).map((one) => one.evaluate((row) => row.innerText.trim()))), ['plan']);

  await t.step('Layout (Thema)');
  const paper = () => t.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const cookies = (await t.browser.cookies()).filter((cookie) => cookie.name === 'theme');
  await t.browser.deleteCookie(...cookies);
  await t.visit('/');
  const bright = await paper();
  await t.theme('dark');
  assert.equal(await paper(), bright, 'bright, whatever the device says');
  await set({ layout: 'dark' });
  await t.theme('light');
  const dark = await paper();
  assert.notEqual(dark, bright);
  await set({ layout: 'automatic' });
  assert.equal(await paper(), bright);
  await t.theme('dark');
  assert.equal(await paper(), dark);
  await t.theme('light');

  await t.step('Tabelle: reduziert, ohne interne Felder, Breite des Titels');
  const width = async () => (await t.find('th[width]')).evaluate((one) => Math.round(one.getBoundingClientRect().width));
  await set({ usage: 'documents', title_width: '9000' });
  await t.visit('/');
  assert.equal(await width(), 600);
  await set({ title_width: '4500', starts_reduced: true });
  await t.visit('/');
  assert.deepEqual((await headings()).slice(1), ['Aktennummer', 'Datum', 'Absender', 'Titel', 'Eigentümer', 'Archivdatum']);
  await set({ hides_internal: true });
  await t.visit('/');
  assert.deepEqual((await headings()).slice(1), ['Datum', 'Absender', 'Titel']);
  await look('reduced');
  await t.click({ role: 'link', name: 'Volle Tabelle' }, { leads: true });
  assert.ok((await headings()).includes('Aktennummer') && (await headings()).includes('Kunde'));
  assert.equal(await width(), 300);

  await t.step('Erweiterte Icons, Titel in der Hauptansicht');
  await t.visit(`/documents/${first}`);
  await t.shows('plan', 'h1');
  await t.find({ role: 'link', name: 'Nachweis' });
  await set({ hides_extended: true, suppresses_title: true, starts_reduced: false, hides_internal: false });
  await t.visit(`/documents/${first}`);
  await t.lacks({ role: 'link', name: 'Nachweis' });
  await t.lacks({ role: 'link', name: 'Quelltext' });
  assert.equal(await t.text('h1'), `Aktennummer ${first}`);
  await look('without-title');
  await t.visit('/');
  await t.lacks({ role: 'button', name: 'Als ZIP exportieren' });
  await t.lacks({ role: 'link', name: 'Alle Treffer exportieren' });
  await t.find({ role: 'button', name: 'Link weiterleiten' });

  await t.step('Feld für Publikation');
  await set({ publishing: 'Web', hides_extended: false, suppresses_title: false, title_width: '3000' });
  await t.visit('/');
  await t.lacks('.tag.good');
  await t.click(`input[name=number][value="${first}"]`);
  await t.click({ role: 'button', name: 'Publizieren' }, { leads: true });
  await t.shows('1 Akte ist publiziert.');
  await t.visit(`/documents/${first}/fields`);
  await t.shows('Publiziert', 'article');
  assert.match(await t.value('input[name="field:Web"]'), /^\d{4}-\d\d-\d\d$/);

  await t.step('DNS-Name und Titelfeld für API-Link');
  await set({ dns_name: 'https://archiv.example.ch', link_title: 'Kunde' });
  await t.visit(`/documents/${first}`);
  assert.equal(await t.value('#access-link'), `Muster AG\nhttps://archiv.example.ch/perl/avclient/index.pl?target=new&go=${first}`);

  await t.step('Versionierung nach Feld für Versionsschlüssel');
  await t.visit(`/documents/${letter}/fields`);
  await t.type('input[name="field:Kunde"]', 'Muster AG');
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true });
  assert.deepEqual((await rows()).sort(), ['Brief', 'plan']);
  await set({ versioning: 'key', version_key: 'Kunde' });
  assert.deepEqual(await rows(), ['Brief']);
  await t.visit(`/documents/${first}`);
  await t.shows('Es gibt eine neuere Version.');
  await t.click({ role: 'link', name: 'Neuste Version öffnen' }, { leads: true });
  assert.match(t.address, new RegExp(`/documents/${letter}\\b`));
  await look('versions');

  await t.step('Versionierung nach Name des Downloads');
  await set({ versioning: 'name', version_key: '' });
  assert.deepEqual((await rows()).sort(), ['Brief', 'plan']);
  await t.visit(`/documents/${first}`);
  const download = () => t.download(() => t.click({ role: 'link', name: 'Herunterladen' }));
  const file = await download();
  assert.equal(file.name, `${first}_1_plan.pdf`);
  const changed = path.join(folder, file.name);
  writeFileSync(changed, Buffer.concat([file.bytes, Buffer.from('% geändert\n')]));
  const second = await upload(changed);
  assert.notEqual(second, first);
  await t.shows('Version 2', '.versions');
  assert.equal((await download()).name, `${second}_2_plan.pdf`);
  await t.visit(`/documents/${second}/fields`);
  assert.equal(await t.value('input[name="field:Kunde"]'), 'Muster AG');
  assert.equal(await t.value({ role: 'combobox', name: 'Art' }), 'Rechnung');
  assert.deepEqual((await rows()).sort(), ['Brief', 'plan']);
  await t.visit(`/documents/${first}`);
  await t.shows('Es gibt eine neuere Version.');
  await look('versions-of-a-file');
}
