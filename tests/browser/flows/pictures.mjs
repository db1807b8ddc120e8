// The pictures of the README and of the handbook, from the sample company (`make screenshots`): not a test.
import { fileURLToPath } from 'node:url';
import { PASSWORD, confirm_sheet } from '../people.mjs';
import * as handbook from './handbook.mjs';

export default async function (t) {
  const picture = (name) => ({ to: fileURLToPath(new URL(`../../../docs/pictures/${name}.png`, import.meta.url)) });
  await handbook.setup(t);
  await t.language('en');
  await t.visit('/setup');
  await t.type('#code', t.config.setup_code);
  await t.choose('#language', 'English');
  await t.type('#archive', 'Muster & Söhne AG');
  await t.type('#user', 'anna');
  await t.type('#password', PASSWORD);
  await t.type('#again', PASSWORD);
  await t.click('form button.first', { leads: true });
  await confirm_sheet(t);
  await handbook.overview(t);
  await t.shot('overview', picture('overview'));
  await t.visit('/?q=neuigkeiten');
  await t.click('tbody a', { leads: true });
  for (const [theme, name] of [['light', 'webdms'], ['dark', 'webdms-dark']]) {
    await t.theme(theme);
    await t.shot(name, picture(name));
  }
  await t.theme('light');
  await handbook.pages(t);
  for (const [name, path] of [['documents', '/'], ['sources', '/admin/sources'], ['archive', '/admin/archive'], ['completeness', '/admin/sources/Muster%20AG'], ['form', '/admin/new/o365']]) {
    await t.visit(path);
    for (const width of [1440, 360]) {
      await t.viewport(width);
      await t.shot(`look-${name}`, { whole: true });
    }
    await t.viewport(1440);
  }
}
