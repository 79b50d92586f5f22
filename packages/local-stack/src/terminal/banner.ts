export interface BannerFacts {
  /** Undefined if the gateway serves no console. */
  consoleUrl: string | undefined;
  gatewayUrl: string;
  gatewayOpsUrl: string;
  workerOpsUrl: string;
  inboxUrl: string;
  samplesUrl: string;
  natsUrl: string;
  /** Where the queue is stored. */
  stateDir: string;
  /** The file with the secret that signs callbacks; undefined if the user has set secrets. */
  signingSecretFile: string | undefined;
  /** The user's own functions file, if there is one. */
  functionsFile: string | undefined;
  /** What users type to run the command line; undefined if it is not installed. */
  command: string | undefined;
}

/** The text for a user who has just started everything: four lines to paste, and the pages to visit. */
export function renderBanner(facts: BannerFacts): string {
  const { gatewayUrl, inboxUrl, functionsFile } = facts;
  const [first, second] = functionsFile === undefined ? ['echo', 'hash'] : ['NAME', 'NAME'];
  const note = functionsFile === undefined ? [] : ['', `  NAME is one of your functions in ${functionsFile}`];
  return [
    '',
    ...opening(facts),
    '',
    `  curl -i ${gatewayUrl}/async-function/${first} -d 'hello'`,
    `  curl -i ${gatewayUrl}/async-function/${second} -d 'hello' -H 'X-Callback-Url: ${inboxUrl}/callbacks/demo'`,
    `  curl ${inboxUrl}/`,
    '',
    'Ask where a call stands, with the callId that you were given; ?wait=30s answers when it has ended:',
    '',
    `  curl '${gatewayUrl}/async-function/CALL-ID?wait=30s'`,
    ...commandLine(facts, second),
    ...note,
    '',
    ...places(facts).map(([name, place]) => `  ${name.padEnd(10)} ${place}`),
    '',
    'Ctrl-C stops everything; what is queued is kept for the next start.',
    '',
  ].join('\n');
}

/** The same in one line, for users who have the command. */
function commandLine({ command, gatewayUrl }: BannerFacts, name: string): string[] {
  const url = gatewayUrl === 'http://127.0.0.1:8080' ? '' : ` --url ${gatewayUrl}`;
  return command === undefined
    ? []
    : ['', 'Or all of that at once:', '', `  ${command} call ${name} -d hello --wait${url}`];
}

function opening({ consoleUrl }: BannerFacts): string[] {
  const next = 'ut a call into the queue; then one with a callback; then see what came back:';
  return consoleUrl === undefined
    ? [`asyncfn is ready. P${next}`]
    : [
        'asyncfn is ready. See what it does, and send it calls, in the console:',
        '',
        `  ${consoleUrl}`,
        '',
        `Or p${next}`,
      ];
}

function places(facts: BannerFacts): [string, string][] {
  return [
    ['API docs', `${facts.gatewayUrl}/docs`],
    ['metrics', `${facts.gatewayOpsUrl}/metrics (gateway), ${facts.workerOpsUrl}/metrics (worker)`],
    ['inbox', `${facts.inboxUrl}/`],
    ['functions', facts.functionsFile ?? `${facts.samplesUrl}/ (samples: echo, sleep, status, hash)`],
    ['NATS', facts.natsUrl],
    ['state', facts.stateDir],
    ...signingPlace(facts),
  ];
}

function signingPlace({ signingSecretFile }: BannerFacts): [string, string][] {
  return signingSecretFile === undefined ? [] : [['secret', `${signingSecretFile} (signs the callbacks)`]];
}
