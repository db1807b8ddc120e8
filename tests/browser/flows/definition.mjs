// Mail archiving: every field of a definition is set as an administrator sets it, and its effect is seen. Then a mail is played
// back, a link forwarded, a ZIP file exported and a mail printed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { log_in } from '../people.mjs';
import { run } from '../runs.mjs';

const SCREENS = [[1440, 'light'], [360, 'dark']];

export default async function (t) {
  const { user, account, password, port, tls_port: tlsPort, authority } = t.config;
  const look = async (name, { exclude = [] } = {}) => {
    for (const [width, theme] of SCREENS) {
      await t.viewport(width);
      await t.theme(theme);
      await t.noSidewaysScroll();
      await t.axe({ exclude });
      await t.shot(`manage-${name}`, { whole: true });
    }
    await t.viewport(1440);
    await t.theme('light');
  };
  const tick = async (name) => t.click(`input[type=checkbox][name="${name}"]`);
  const edit = (fields, { status = 200 } = {}) =>
    t.step(`set ${JSON.stringify(fields)}`, async () => {
      await t.visit('/admin/sources/B%C3%BCro/edit');
      for (const [name, value] of Object.entries(fields)) {
        if (value === true) await tick(name);
        else if (['after', 'encryption', 'owner'].includes(name)) await t.choose(`#${name}`, value);
        else await t.type(`#${name}`, value);
      }
      await t.click({ role: 'button', name: 'Speichern' }, { leads: true, status });
    });
  const rows = async (query = '') => {
    await t.visit(`/?q=${encodeURIComponent(query)}`);
    return Promise.all((await t.all('[data-row]')).map((one) => one.evaluate((row) => row.innerText.trim())));
  };

  await log_in(t, user);
  await t.step('fields are defined that a definition fills');
  await t.visit('/admin/fields');
  for (const name of ['Schreiber', 'Kopie', 'Adressat', 'Thema']) {
    await t.type('#name', name);
    await t.choose('#kind', 'Text');
    await t.click({ role: 'button', name: 'Feld hinzufügen' }, { leads: true });
  }

  await t.step('server, port, account, password: each wrong one is said');
  await t.visit('/admin/new/imap');
  await t.type('#name', 'Büro');
  await t.type('#server', 'imap://localhost');
  await t.type('#port', '70000');
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true, status: 400 });
  for (const words of ['ohne imap://', 'Geben Sie 1 bis 65535 an', 'Es fehlt ein Benutzerkonto']) await t.shows(words);
  await t.type('#server', 'localhost');
  await t.type('#port', String(port));
  await t.choose('#encryption', 'none');
  await t.type('#account-0', account);
  await t.type('#password-0', 'falsch');
  // Nothing is fetched before all is set.
  await tick('inactive');
  await t.choose('#owner', user);
  await t.click({ role: 'button', name: 'Speichern und testen' }, { leads: true });
  await t.shows('hat die Anmeldung von');
  await edit({ 'password-0': password });
  await t.visit('/admin/sources/B%C3%BCro/test');
  await t.click({ role: 'button', name: 'Verbindung testen' }, { leads: true });
  await t.shows('Der Test ist bestanden.');

  await t.step('encryption: the certificate has to be trusted');
  await edit({ encryption: 'tls', port: String(tlsPort), 'password-0': password });
  await t.visit('/admin/sources/B%C3%BCro/test');
  await t.click({ role: 'button', name: 'Verbindung testen' }, { leads: true });
  await t.shows('Dem Zertifikat von localhost wird nicht vertraut');
  await t.visit('/admin/sources/B%C3%BCro/edit');
  await t.click('details.card > summary');
  // Pasted: as keys it would take long.
  await (await t.find('#ca_file')).evaluate((field, pem) => (field.value = pem), readFileSync(authority, 'utf8'));
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true });
  await t.visit('/admin/sources/B%C3%BCro/test');
  await t.click({ role: 'button', name: 'Verbindung testen' }, { leads: true });
  await t.shows('Der Test ist bestanden.');

  await t.step('deleting says what will happen, from when, and wants to be confirmed');
  await edit({ after: 'delete' }, { status: 400 });
  await t.shows('Kreuzen Sie zur Bestätigung das Kästchen darunter an.');
  await t.shows('Das gilt für Mails, die ab dem nächsten Lauf archiviert werden.');
  await t.shows('Schon archiviert sind 0 Mails: sie bleiben auf dem Server.');
  await look('delete');
  await edit({ after: 'move', move_to: 'Archiviert', play_back_folder: 'INBOX' }, { status: 400 });
  await t.shows('Geben Sie für zurückgespielte Mails einen eigenen Ordner an.');

  await t.step('inactive: no run can be asked for');
  await t.visit('/admin/sources/B%C3%BCro');
  await t.shows('Inaktiv');
  await t.lacks({ role: 'button', name: 'Jetzt archivieren: Büro' });

  await t.step('folders, minimum age, owner, fields, move, play-back folder');
  await edit({
    folders: 'INBOX,Kunden,Privat', exclude_folders: 'Privat', min_age_days: '7', owner: user, interval_minutes: '10080',
    field_from: 'Schreiber', field_cc: 'Kopie', field_to: 'Adressat', field_subject: 'Thema',
    after: 'move', move_to: 'Archiviert', play_back_folder: 'Zurück', inactive: true,
  });
  await run(t, 'Büro');
  assert.deepEqual((await rows()).sort(), ['Brief 1', 'Brief 3'], 'folders, excluded ones, minimum age');
  assert.deepEqual(await rows('schreiber:von3'), ['Brief 3']);
  for (const query of ['thema:1', 'adressat:an1', 'kopie:mit1']) assert.deepEqual(await rows(query), ['Brief 1'], query);
  assert.deepEqual((await rows(`eigentümer:${user}`)).sort(), ['Brief 1', 'Brief 3']);
  await t.visit('/admin/sources/B%C3%BCro/completeness');
  await t.shows(/1 zu jung/);
  await t.shows('Auf dem Server ist nichts mehr zu verschieben oder zu löschen.');
  await look('completeness');

  await t.step('a mail is played back');
  await t.visit('/?q=brief');
  await t.click({ role: 'link', name: 'Brief 1' }, { leads: true });
  const mail = t.address.match(/\/documents\/(\d+)/)[1];
  await look('document');
  await t.click({ role: 'link', name: 'Ins Postfach zurückspielen' }, { leads: true });
  await t.shows('Ordner: Zurück');
  await look('restore');
  await t.click({ role: 'button', name: 'Ins Postfach zurückspielen' }, { leads: true });
  await t.shows('Die Mail ist zurückgespielt.');
  await t.shows(`liegt im Postfach ${account}, Ordner Zurück`);
  await look('restored');

  await t.step('links are forwarded');
  await t.visit(`/documents/${mail}`);
  const to = await t.attribute({ role: 'link', name: 'Link weiterleiten' }, 'href');
  const address = new URL(to);
  assert.equal(address.protocol, 'mailto:');
  assert.equal(address.searchParams.get('subject'), `${mail}: Brief 1`);
  assert.equal(address.searchParams.get('body'), `${mail}: Brief 1\r\n${t.origin}/perl/avclient/index.pl?target=new&go=${mail}\r\n\r\n`);
  await t.visit('/?q=brief');
  for (const box of await t.all('input[name=number]')) await box.click();
  await t.click({ role: 'button', name: 'Link weiterleiten' }, { leads: true });
  const both = new URL(await t.attribute({ role: 'link', name: 'Link weiterleiten' }, 'href')).searchParams.get('body');
  assert.equal(both.match(/go=\d/g).length, 2);
  await look('links');
  await t.click({ role: 'button', name: 'Zugriffslinks kopieren' });
  assert.equal((await t.clipboard()).match(/go=\d/g).length, 2);

  await t.step('what was chosen, and all that was found, is exported');
  await t.visit('/?q=brief');
  for (const box of await t.all('input[name=number]')) await box.click();
  const zip = await t.download(() => t.click({ role: 'button', name: 'Als ZIP exportieren' }));
  assert.match(zip.name, /^Muster AG \d{4}-\d\d-\d\d\.zip$/);
  assert.equal(zip.bytes.subarray(0, 4).toString('latin1'), 'PK\x03\x04');
  await t.visit('/?q=brief');
  await look('table');
  await t.click({ role: 'link', name: 'Alle Treffer exportieren' }, { leads: true });
  await t.shows('Akten: 2');
  await look('export');
  const all = await t.download(() => t.click({ role: 'button', name: 'Als ZIP exportieren' }));
  assert.ok(all.bytes.includes('index.csv') && all.bytes.includes('_Brief 1.eml') && all.bytes.includes('_Brief 3.eml'));
}
