// Builds, joins and signs the images of a release. They go to $IMAGES, by default ghcr.io/asyncfn.
//   node scripts/release/images.js push APP ARCH   builds the image for an architecture, with SBOM and provenance
//   node scripts/release/images.js join APP        makes one image of those of all architectures
//   node scripts/release/images.js sign APP        signs it with the identity of the workflow (cosign, without a key)
// APP is gateway, worker or asyncfn, ARCH is amd64 or arm64.
import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { readVersion } from './version.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const architectures = ['amd64', 'arm64'];
const names = { gateway: 'asyncfn-gateway', worker: 'asyncfn-worker', asyncfn: 'asyncfn' };
const [command, app = '', arch = ''] = process.argv.slice(2);
const version = readVersion(root);

if (!Object.hasOwn(names, app)) {
  fail(`${app || 'no app'}: name gateway, worker or asyncfn`);
}
const image = `${process.env.IMAGES || 'ghcr.io/asyncfn'}/${names[app]}`;
const commands = { push, join, sign };
if (!Object.hasOwn(commands, command)) {
  fail(`${command}: the commands are push, join and sign`);
}
commands[command]();

function push() {
  if (!architectures.includes(arch)) {
    fail(`${arch || 'no architecture'}: name ${architectures.join(' or ')}`);
  }
  const revision = process.env.GITHUB_SHA || run('git', ['rev-parse', 'HEAD'], 'pipe').trim();
  const variables = { APP: app, VERSION: version, REVISION: revision };
  const given = Object.entries(variables).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  const attested = ['--sbom=true', '--provenance=mode=max', '--push', '--platform', `linux/${arch}`];
  run('docker', ['buildx', 'build', ...attested, ...given, '--tag', `${image}:${version}-${arch}`, '.']);
}

function join() {
  const parts = architectures.map((each) => `${image}:${version}-${each}`);
  // A pre-release is not what people get without naming a version.
  const tags = version.includes('-') ? [version] : [version, 'latest'];
  run('docker', ['buildx', 'imagetools', 'create', ...tags.flatMap((tag) => ['--tag', `${image}:${tag}`]), ...parts]);
}

/** By its digest: a tag may lead to another image by the time it is signed. */
function sign() {
  const format = ['--format', '{{.Manifest.Digest}}'];
  const digest = run('docker', ['buildx', 'imagetools', 'inspect', ...format, `${image}:${version}`], 'pipe').trim();
  if (!/^sha256:[0-9a-f]{64}$/.test(digest)) {
    fail(`${image}:${version}: has the digest "${digest}", which is none`);
  }
  run('cosign', ['sign', '--yes', '--recursive', `${image}@${digest}`]);
}

/** The output, if it is piped. Ends this process if the program fails. */
function run(program, args, output = 'inherit') {
  const { status, stdout, error } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', output, 'inherit'],
  });
  if (status !== 0) {
    fail(`${program} ${args.slice(0, 3).join(' ')} failed: ${error?.message ?? `exit code ${status}`}`);
  }
  return stdout ?? '';
}

function fail(problem) {
  process.stderr.write(`images.js: ${problem}\n`);
  process.exit(1);
}
