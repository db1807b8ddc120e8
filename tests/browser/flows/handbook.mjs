// The pictures of the handbook in both languages, from the sample company: not a test, but a part of pictures.mjs.
import { fileURLToPath } from 'node:url';
import { PASSWORD } from '../people.mjs';

const LANGUAGES = ['de', 'en'];

function picture(t, language, name) {
  const to = fileURLToPath(new URL(`../../../docs/handbook/pictures/${language}/${name}.png`, import.meta.url));
  return t.shot(`${language}/${name}`, { to });
}

// Before anybody is set up: the page asks the browser for its language.
export async function setup(t) {
  await t.viewport(800);
  for (const language of LANGUAGES) {
    await t.language(language);
    await t.visit('/setup');
    await picture(t, language, 'setup');
  }
  await t.viewport(1440);
}

// Opens the overview when the search index has read all, which it does behind what is archived and set.
export async function overview(t) {
  await t.until('the search index is up to date', async () => {
    await t.visit('/admin');
    return !/liest noch|still reading/.test(await t.page.content());
  }, 60_000);
}

// Somebody who administers is logged in.
export async function pages(t) {
  await t.visit('/admin/users');
  for (const name of ['beat', 'chloe', 'david']) {
    await t.type('input[name="user"]', name);
    await t.type('#password', PASSWORD);
    await t.type('#again', PASSWORD);
    await t.click('form[action="/admin/users"] button.first', { leads: true });
    await t.visit('/admin/rights');
    await t.click(`input[name="is"][aria-label^="${name}."][aria-label$=": ${name}"]`);
    await t.click('form[method="post"][action="/admin/rights"] button', { leads: true });
    await t.visit('/admin/users');
  }
  for (const language of LANGUAGES) {
    await t.visit('/account');
    await t.choose('#language', language);
    await t.click('form[action="/account"] button.first', { leads: true });
    for (const [name, path, width] of [
      ['overview', '/admin', 1000],
      ['definition', '/admin/new/o365', 1000],
      ['completeness', '/admin/sources/Muster%20AG/completeness', 1440],
      ['users', '/admin/rights', 1000],
      ['system', '/admin/system', 1000],
      ['documents', language === 'de' ? '/?q=von:muster' : '/?q=from:muster', 1000],
    ]) {
      await t.viewport(width);
      if (name === 'overview') await overview(t);
      else await t.visit(path);
      await picture(t, language, name);
    }
    await t.viewport(1440);
    await t.visit('/?q=neuigkeiten');
    await t.click('tbody a', { leads: true });
    await picture(t, language, 'mail');
  }
  await t.viewport(1440);
}
