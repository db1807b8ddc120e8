// From the setup code to a second user with a right, as somebody would click it for the first time.
import assert from 'node:assert/strict';

const PASSWORD = 'Ein ganzer Satz ist gut.';

export default async function (t) {
  for (const [width, theme] of [[1440, 'light'], [360, 'dark']]) {
    await t.viewport(width);
    await t.theme(theme);
    await t.visit('/setup');
    await t.noSidewaysScroll();
    await t.axe();
    await t.shot('setup');
  }

  await t.step('a wrong value gets its sentence');
  await t.type({ role: 'textbox', name: 'Einrichtungscode' }, 'AAAA-BBBB-CCCC');
  await t.type({ role: 'textbox', name: 'Name des Archivs' }, 'Muster & Söhne AG');
  await t.type({ role: 'textbox', name: 'Benutzername' }, 'anna');
  await t.type('#password', PASSWORD);
  await t.type('#again', 'Ein anderer Satz ist falsch.');
  await t.click({ role: 'button', name: 'Einrichten' }, { leads: true, status: 400 });
  await t.shows('Der Einrichtungscode stimmt nicht');
  await t.shows('Die beiden Passwörter sind nicht gleich');
  await t.noSidewaysScroll();
  await t.axe();
  await t.shot('setup-wrong');

  await t.step('the right ones set up the archive');
  await t.type({ role: 'textbox', name: 'Einrichtungscode' }, t.config.setup_code);
  await t.type('#password', PASSWORD);
  await t.type('#again', PASSWORD);
  await t.click({ role: 'button', name: 'Einrichten' }, { leads: true });
  await t.shows('Muster & Söhne AG');
  await t.shows('anna');

  await t.step('a second user gets in');
  await t.click({ role: 'link', name: 'Benutzer' }, { leads: true });
  await t.type({ role: 'textbox', name: 'Benutzername' }, 'beat');
  await t.choose('#role', 'Revision');
  await t.type('#password', PASSWORD);
  await t.type('#again', PASSWORD);
  await t.click({ role: 'button', name: 'Hinzufügen' }, { leads: true });
  await t.shows('Gespeichert.');
  await t.shows('beat', 'table');
  for (const [width, theme] of [[1440, 'dark'], [360, 'light']]) {
    await t.viewport(width);
    await t.theme(theme);
    await t.noSidewaysScroll();
    await t.axe();
    await t.shot('users');
  }
  await t.viewport(1440);

  await t.step('own account: English and dark for good');
  await t.click({ role: 'link', name: 'anna' }, { leads: true });
  await t.axe();
  await t.choose('#language', 'English');
  await t.choose('#theme', 'Dunkel');
  await t.click({ role: 'button', name: 'Speichern' }, { leads: true });
  await t.shows('Own account');
  assert.equal(await t.attribute('html', 'data-theme'), 'dark');
  assert.equal(await t.attribute('html', 'lang'), 'en');

  await t.step('logout, a wrong password, login');
  await t.click({ role: 'button', name: 'Log out' }, { leads: true });
  await t.shows('abgemeldet');
  await t.axe();
  await t.shot('login');
  await t.type({ role: 'textbox', name: 'Benutzername' }, 'beat');
  await t.type('#password', 'Das ist falsch.');
  await t.click({ role: 'button', name: 'Anmelden' }, { leads: true, status: 403 });
  await t.shows('Benutzername oder Passwort stimmt nicht.');
  await t.type('#password', PASSWORD);
  await t.click({ role: 'button', name: 'Anmelden' }, { leads: true });
  await t.shows('beat');
  await t.lacks({ role: 'link', name: 'Benutzer' });
  await t.visit('/admin/users', { status: 403 });
  await t.shows('Das dürfen Sie nicht');
  await t.axe();
}
