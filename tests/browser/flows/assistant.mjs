// A newcomer: setup code, account, "Where is your mail?", Entra's values with each wrong one on the way, test, first run, WebDMS,
// the first copied link.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const PASSWORD = 'Ein ganzer Satz ist gut.';
const GUID = '11111111-2222-3333-4444-555555555555';
const EACH = [[1440, 'light'], [360, 'dark']];

export default async function (t) {
  const { simulator, authority, tenant, client, secret, mailbox } = t.config;
  // Between a desk and a phone the page is loaded again: `again` types what was typed.
  const look = async (name, again) => {
    for (const [width, theme] of EACH) {
      await t.viewport(width);
      await t.theme(theme);
      await again?.();
      await t.noSidewaysScroll();
      await t.axe();
      await t.shot(`assistant-${name}`, { whole: true });
    }
    await t.viewport(1440);
    await t.theme('light');
  };
  const control = async (asked) => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    const answer = await fetch(`${simulator}/_control`, { method: 'POST', body: JSON.stringify(asked) });
    assert.equal(answer.status, 200);
  };
  // Types, and waits for what the server says of it; '' for nothing.
  const typed = async (field, value, said) => {
    await t.type(field, value);
    if (said) await t.shows(said, `${field}-help`);
    else await t.until(`nothing is wrong with ${field}`, () => t.page.$eval(`${field}-help .wrong`, (told) => told.textContent === ''));
  };

  await t.step('the setup code and the first account');
  await t.visit('/setup');
  await t.type('#code', 'AAAA-BBBB-CCCC');
  await t.type('#archive', 'Muster & Söhne AG');
  await t.type('#user', 'anna');
  await t.type('#password', PASSWORD);
  await t.type('#again', PASSWORD);
  await t.click({ role: 'button', name: 'Einrichten' }, { leads: true, status: 400 });
  await t.shows('Der Einrichtungscode stimmt nicht');
  await t.type('#code', t.config.setup_code);
  await t.type('#password', PASSWORD);
  await t.type('#again', PASSWORD);
  await t.click({ role: 'button', name: 'Einrichten' }, { leads: true });

  await t.step('the recovery sheet comes first, and can be put off');
  await t.shows('Wiederherstellungsblatt');
  await look('sheet');
  await t.visit('/admin');
  await t.click({ role: 'link', name: 'Neue Quelle mit dem Assistenten' }, { leads: true });
  await t.shows('Wiederherstellungsblatt');
  await t.click({ role: 'button', name: 'Später drucken: zuerst eine Quelle einrichten' }, { leads: true });
  await t.shows('Wo liegen Ihre Mails?');
  await t.visit('/admin');

  await t.step('the empty overview leads to the assistant');
  await t.click({ role: 'link', name: 'Neue Quelle mit dem Assistenten' }, { leads: true });
  await t.shows('Wo liegen Ihre Mails?');
  await look('start');
  await t.visit('/admin/assistant/list');
  await look('list');
  await t.type('#list', 'anna@gmx.ch;geheim\nbeat@muster.ch;geheim\ncarla;geheim');
  await t.click({ role: 'button', name: 'Prüfen' }, { leads: true, status: 400 });
  await t.shows('Für muster.ch ist kein Mail-Server bekannt.');
  await look('list-mistakes');

  await t.step('another provider is recognised while one types');
  await t.visit('/admin/assistant/other');
  await look('other', async () => {
    await t.type('#address', 'anna@gmx.ch');
    await t.shows('Erkannt: GMX.');
    assert.equal(await t.page.$eval('#server', (field) => field.value), 'imap.gmx.net');
  });
  await look('other-code', async () => {
    await t.type('#address', 'anna@outlook.com');
    await t.shows('Outlook.com und Hotmail nehmen keine Passwörter an.');
    await t.lacks('#password');
  });
  await t.type('#address', 'anna@muster.example');
  await t.lacks('.says');
  await t.type('#password', 'geheim');
  await t.click({ role: 'button', name: 'Speichern und testen' }, { leads: true, status: 400 });
  await t.shows('Für muster.example kennt die Box keinen Mail-Server.');
  await look('other-unknown');

  await t.step('Microsoft 365: every wrong value gets its sentence');
  await t.visit('/admin/assistant');
  await t.click('a[href="/admin/assistant/o365"]', { leads: true });
  await look('o365');
  await typed('#client_id', 'Archivista Box', 'Das ist keine Anwendungs-ID');
  await typed('#tenant', 'anna@muster.ch', 'Das ist eine Mail-Adresse. Geben Sie nur muster.ch an');
  await typed('#client_secret', GUID, 'Das ist die ID eines Secrets, nicht sein Wert.');
  await typed('#mailboxes', 'anna', 'ist keine Adresse');
  await t.axe();
  await t.shot('assistant-o365-typed', { whole: true });
  await t.click('details.card > summary');
  await t.type('#login_url', simulator);
  await t.type('#graph_url', simulator);
  await t.type('#ca_file', readFileSync(authority, 'utf8'));
  await t.click('input[name=all_mailboxes]');
  await t.click({ role: 'button', name: 'Speichern und testen' }, { leads: true, status: 400 });
  await t.shows('Bitte verbessern Sie die markierten Felder.');
  await t.shows('Das ist keine Anwendungs-ID', '#client_id-help');
  await look('o365-mistakes');
  await typed('#client_id', client, '');
  await typed('#tenant', tenant, '');
  await typed('#client_secret', 'x8Q~falscher.Wert', '');
  await typed('#mailboxes', mailbox, '');
  await t.click({ role: 'button', name: 'Speichern und testen' }, { leads: true });

  await t.step('the test names what is wrong: the secret, then the missing right');
  await t.shows('Das Client-Secret der Anwendung');
  await t.shows('Der Test hat Fehler gefunden.');
  await look('failed');
  await t.click({ role: 'link', name: 'Werte ändern' }, { leads: true });
  await t.type('#client_secret', secret);
  await t.click({ role: 'button', name: 'Speichern und testen' }, { leads: true });
  await t.shows('Der Anwendung fehlt die Berechtigung Mail.Read');
  await control({ op: 'configure', permissions: ['Mail.Read', 'User.Read.All'] });
  // Slow enough to be seen at work.
  await control({ op: 'configure', latency: 400 });
  await t.click({ role: 'button', name: 'Noch einmal testen' }, { leads: true });

  await t.step('the first run begins by itself');
  await t.shows('Die Mails werden archiviert.');
  await t.shows(/Postfach 1 von 1, Ordner \d+ von \d+/);
  await t.shows(/Dauert noch\s+lässt sich noch nicht sagen/);
  // The page loads itself again, so it is only looked at.
  await t.noSidewaysScroll();
  await t.shot('assistant-running', { whole: true });
  await control({ op: 'configure', latency: 0 });
  await t.shows('Der erste Lauf ist beendet.');
  await t.shows('Die ersten Mails sind da.');
  await look('ended');

  await t.step('on to WebDMS, and the first link is copied');
  await t.click({ role: 'link', name: 'Ansehen in WebDMS' }, { leads: true });
  await t.click('tbody tr a', { leads: true });
  await t.copyElsewhere('before');
  await t.press('Control+C');
  const copied = await t.clipboard();
  const [, number] = t.address.match(/documents\/(\d+)/);
  assert.match(copied, new RegExp(`^${number}: Mail \\d\\n${t.origin}/perl/avclient/index\\.pl\\?target=new&go=${number}$`));
}
