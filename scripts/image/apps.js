// The workspaces that the image of an app is made of, for `turbo prune`: node scripts/image/apps.js APP
import process from 'node:process';

const images = {
  gateway: ['gateway'],
  worker: ['worker'],
  // Starts the other two.
  asyncfn: ['local', 'gateway', 'worker'],
};

const [app = ''] = process.argv.slice(2);
if (Object.hasOwn(images, app)) {
  process.stdout.write(`${images[app].map((name) => `@asyncfn/${name}`).join(' ')}\n`);
} else {
  const said = app === '' ? 'APP is not set' : `APP=${app} is no app`;
  process.stderr.write(`${said}: build with --build-arg APP=gateway, APP=worker or APP=asyncfn\n`);
  process.exitCode = 1;
}
