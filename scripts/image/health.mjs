// The health check of the images: exits with 0 if the process in this container answers, and says why where it does
// not. node health.mjs PORT asks /livez at OPS_PORT, or at PORT where that is not set: a broker that is away makes no
// process unhealthy, since an orchestrator that replaces what is unhealthy would end calls for it. HEALTH_URL asks
// something else, such as /readyz.
import { once } from 'node:events';
import { get } from 'node:http';
import process from 'node:process';
import { text } from 'node:stream/consumers';

const { HEALTH_URL, OPS_HOST, HOST, OPS_PORT } = process.env;
const url = HEALTH_URL || `http://${reachable(OPS_HOST || HOST)}:${OPS_PORT || process.argv[2]}/livez`;

try {
  const [response] = await once(get(url, { signal: AbortSignal.timeout(2_500) }), 'response');
  say(`${response.statusCode} ${await text(response)}`);
  process.exitCode = response.statusCode === 200 ? 0 : 1;
} catch (error) {
  say(error.message);
  process.exitCode = 1;
}

/** An address that is every address is asked as this machine's own. */
function reachable(host = '0.0.0.0') {
  if (host === '0.0.0.0') {
    return '127.0.0.1';
  }
  if (host === '::') {
    return '[::1]';
  }
  return host.includes(':') ? `[${host}]` : host;
}

function say(answer) {
  process.stdout.write(`${url}: ${answer}\n`);
}
