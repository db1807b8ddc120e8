// The pictures of the README, from the sample company (`make screenshots`): not a test.
import { fileURLToPath } from 'node:url';

export default async function (t) {
  for (const [theme, name] of [['light', 'webdms'], ['dark', 'webdms-dark']]) {
    await t.theme(theme);
    await t.visit('/');
    await t.shot(name, { to: fileURLToPath(new URL(`../../../docs/pictures/${name}.png`, import.meta.url)) });
  }
}
