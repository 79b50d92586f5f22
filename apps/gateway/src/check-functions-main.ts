import { checkFunctionsFile } from './functions-file/index.ts';

const [path] = process.argv.slice(2);

if (path === undefined) {
  process.stderr.write('usage: node check-functions-main.js FILE\n');
  process.exitCode = 64;
} else {
  process.stdout.write(`${JSON.stringify(await checkFunctionsFile(path, process.env))}\n`);
}
