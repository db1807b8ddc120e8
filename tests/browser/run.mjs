// run.mjs FLOW.mjs JSON: runs one flow. JSON has at least { "origin": "https://127.0.0.1:8443" }. Ends with 0 or 1.

import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { Flow } from './browser.mjs';

const [file, config = '{}'] = process.argv.slice(2);
if (!file) {
  console.error('run.mjs FLOW.mjs JSON');
  process.exit(2);
}
const name = path.basename(file, '.mjs');
const { default: run } = await import(pathToFileURL(path.resolve(file)));
const flow = await Flow.launch(name, JSON.parse(config));
const stopped = new Promise((_, reject) => {
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => reject(new Error(`stopped by ${signal}`)));
});
try {
  await Promise.race([run(flow).then(() => flow.finish()), stopped]);
  console.log(`${name}: passed`);
} catch (error) {
  process.exitCode = 1;
  console.log(`${name}: failed at: ${flow.doing}\n${error?.stack ?? error}`);
  const hanging = new Promise((resolve) => setTimeout(resolve, 5_000, '  nothing more can be told: the browser hangs'));
  console.log(await Promise.race([flow.explain(), hanging]));
} finally {
  await Promise.race([flow.close(), new Promise((resolve) => setTimeout(resolve, 5_000))]);
  process.exit();
}
