// Mail archiving from Microsoft 365: every field of a definition that only it has is set as an administrator sets it, and its
// effect is seen. What the pages cannot show, the tenant is asked after the flow.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { log_in } from '../people.mjs';
import { run } from '../runs.mjs';

export default async function (t) {
  const { user, tenant, client, secret, simulator, authority, mailboxes, certificate, key, soon } = t.config;
  const paste = async (field, text) => (await t.find(field)).evaluate((area, text) => (area.value = text), text);
  const save = (status = 200) => t.click({ role: 'button', name: 'Speichern' }, { leads: true, status });
  const edit = async (fields, status) => {
    await t.visit('/admin/sources/cloud/edit');
    for (const [name, value] of Object.entries(fields)) {
      const field = `#${name}`;
      if (value === true) await t.click(`input[type=checkbox][name="${name}"]`);
      else if (value.includes('\n')) await paste(field, value);
      else await t.type(field, value);
    }
    await save(status);
  };
  const test = async () => {
    await t.visit('/admin/sources/cloud/test');
    await t.click({ role: 'button', name: 'Verbindung testen' }, { leads: true });
  };
  const titles = async () => {
    await t.visit('/?q=mail');
    return (await t.all('[data-row]')).length;
  };

  await log_in(t, user);
  await t.visit('/account');
  await t.choose('#language', 'de');
  await t.click({ role: 'button', name: 'Save' }, { leads: true });
  await t.step('a definition whose values cannot be right is not stored');
  await t.visit('/admin/new/o365');
  assert.equal(await (await t.find('#number_of_mails')).evaluate((field) => field.value), '25', 'the maker begins with 25');
  await t.type('#name', 'cloud');
  await t.type('#tenant', tenant);
  await t.type('#client_id', client);
  await t.type('#client_secret', client);
  await t.type('#mailboxes', mailboxes[0]);
  await t.type('#number_of_mails', '0');
  await save(400);
  await t.shows('Geben Sie 1 bis 1000 an');

  await t.step('login and Graph address, certificate authority: the box speaks with the server that they name');
  await t.type('#client_secret', 'falsch');
  await t.type('#number_of_mails', '3');
  await t.click('input[type=checkbox][name="inactive"]');
  await t.click('details.card > summary');
  await paste('#ca_file', readFileSync(authority, 'utf8'));
  await t.type('#login_url', simulator);
  await t.type('#graph_url', simulator);
  await save();

  await t.step('ClientSecret, ClientID, tenant: each wrong one is said, and what to do');
  await test();
  await t.shows(`Das Client-Secret der Anwendung ${client} stimmt nicht`);
  const other = client.replace(/^./, client.startsWith('4') ? '5' : '4');
  await edit({ client_id: other, client_secret: secret });
  await test();
  await t.shows(`gibt es keine Anwendung ${other}`);
  await edit({ client_id: client, tenant: 'anders.onmicrosoft.com' });
  await test();
  await t.shows('Den Mandanten anders.onmicrosoft.com gibt es nicht');
  await edit({ tenant });
  await test();
  await t.shows('Der Test ist bestanden.');

  await t.step('mailboxes: one is archived, in pages of three');
  await edit({ inactive: true });
  await run(t, 'cloud');
  assert.equal(await titles(), 9, 'what the first mailbox has');

  await t.step('all mailboxes, in pages of seven');
  await edit({ all_mailboxes: true, number_of_mails: '7' });
  await run(t, 'cloud');
  assert.equal(await titles(), 18, 'what both have');

  await t.step('the secret that expires soon is said on the overview');
  await t.visit('/admin/sources/cloud/edit');
  await (await t.find('#secret_expires')).evaluate((field, day) => (field.value = day), soon);
  await save();
  await t.visit('/admin');
  await t.shows(/läuft in \d+ Tagen ab|Secret/);
  await t.axe();

  await t.step('a certificate takes the place of the secret');
  await t.visit('/admin/sources/cloud/edit');
  await t.click('details:has(#certificate_file) > summary');
  await paste('#certificate_file', readFileSync(certificate, 'utf8'));
  await paste('#key_file', readFileSync(key, 'utf8'));
  await t.click('input[type=checkbox][name="forget_secret"]');
  await save();
  await test();
  await t.shows('Der Test ist bestanden.');
  await t.visit('/admin/sources/cloud/edit');
  await t.lacks('input[name="forget_secret"]');
  for (const [width, theme] of [[1440, 'light'], [360, 'dark']]) {
    await t.viewport(width);
    await t.theme(theme);
    await t.noSidewaysScroll();
    await t.axe();
    await t.shot('definition-o365', { whole: true });
  }
}
