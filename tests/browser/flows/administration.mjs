// WebAdmin with real clicks: a tenant is set up, tested and archived; every page at two widths, light and dark.
import { readFileSync } from 'node:fs';

const EACH = [[1440, 'light'], [360, 'dark'], [360, 'light']];

export default async function (t) {
  const { user, password, simulator, authority, tenant, client, secret } = t.config;
  const look = async (where, name) => {
    for (const [width, theme] of EACH) {
      await t.viewport(width);
      await t.theme(theme);
      await t.visit(where);
      await t.noSidewaysScroll();
      await t.axe();
      await t.shot(`administration-${name}`, { whole: true });
    }
    await t.viewport(1440);
  };
  await t.visit('/login?next=/admin');
  await t.type('#user', user);
  await t.type('#password', password);
  await t.click({ role: 'button', name: 'Log in' }, { leads: true });
  await look('/admin', 'overview-empty');
  await look('/admin/sources', 'sources-empty');
  await look('/admin/archive', 'archive');
  await look('/admin/system', 'system');
  await look('/admin/switch', 'switch-empty');
  await look('/admin/fetching', 'fetching');
  await look('/admin/new/imap', 'new-imap');
  await look('/admin/new/o365', 'new-o365');

  await t.type('#name', 'Muster AG');
  await t.type('#tenant', tenant);
  await t.type('#client_id', client);
  await t.type('#client_secret', '48d31887-5fad-4d73-a9f5-3c356e68a038');
  await t.type('#mailboxes', 'anna@example.ch');
  await t.click('details.card > summary');
  await t.type('#login_url', simulator);
  await t.type('#graph_url', simulator);
  await t.type('#ca_file', readFileSync(authority, 'utf8'));
  await t.click({ role: 'button', name: 'Save and test' }, { leads: true, status: 400 });
  await t.shows('This is the ID of a secret, not its value.');
  for (const [width, theme] of EACH) {
    await t.viewport(width);
    await t.theme(theme);
    await t.noSidewaysScroll();
    await t.axe();
    await t.shot('administration-mistake', { whole: true });
  }
  await t.viewport(1440);
  await t.type('#client_secret', secret);
  await t.click({ role: 'button', name: 'Save and test' }, { leads: true });
  await t.shows('The test has passed.');
  await look('/admin/sources/Muster%20AG/test', 'test');
  await t.visit('/admin/sources/Muster%20AG');
  await t.shows('Complete');
  await look('/admin/sources/Muster%20AG', 'runs');
  await look('/admin/sources/Muster%20AG/completeness', 'completeness');
  await look('/admin/sources/Muster%20AG/edit', 'edit');
  await look('/admin/sources/Muster%20AG/delete', 'delete');
  await look('/admin/sources', 'sources');
  await look('/admin', 'overview');
  await t.click('details.numbers > summary');
  await t.shows('New documents per day');
  await look('/admin/growth', 'growth');
  await look('/admin/retention', 'retention');
  await look('/admin/retention/due', 'retention-due');
  await look('/admin/retention/holds', 'retention-holds');
  await look('/admin/retention/documents', 'retention-documents');
  await look('/admin/recovery-sheet', 'recovery-sheet');
  await look('/admin/verification', 'verification');
  await t.visit('/admin/proof');
  await t.click({ role: 'button', name: 'Sign now' }, { leads: true });
  await t.shows('Everything until now is signed.');
  await look('/admin/proof', 'proof');
  await look('/admin/proof/checkpoints', 'checkpoints');
}
