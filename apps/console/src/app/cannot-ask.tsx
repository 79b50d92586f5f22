import { useEffect } from 'preact/hooks';
import { askGateway } from '../access/index.ts';
import type { ApiProblem } from '../api/index.ts';
import { Trouble } from '../ui/index.ts';

const againMs = 2_000;

/** The gateway does not say who uses the console: it is away, or does not want to be called like this. */
export function CannotAsk({ problem }: { problem: ApiProblem }) {
  useEffect(() => {
    const timer = setInterval(() => void askGateway(), againMs);
    return () => clearInterval(timer);
  }, []);
  const [title, way] = describe(problem);
  return (
    <main class="center">
      <Trouble title={title}>{way}</Trouble>
    </main>
  );
}

function describe({ code, message }: ApiProblem): readonly [string, string] {
  switch (code) {
    case 'unreachable':
      return ['The gateway does not answer.', 'Is it running? This page tries again by itself.'];
    case 'foreign_host':
      return [
        `The gateway does not answer to the name ${location.hostname}.`,
        'Open the console as localhost, or add the name to ALLOWED_HOSTS and restart the gateway.',
      ];
    case 'foreign_origin':
      return [
        'The gateway takes this page for one of another server.',
        'A proxy in front of the gateway must pass on the Host header unchanged.',
      ];
    default:
      return ['The gateway cannot be asked.', message];
  }
}
