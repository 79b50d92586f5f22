import { Badge, type Tone } from '../ui/index.ts';
import type { CallStatus } from './call.ts';

const tones: Readonly<Partial<Record<CallStatus, Tone | 'accent'>>> = {
  running: 'accent',
  retrying: 'warn',
  succeeded: 'good',
  failed: 'bad',
  expired: 'bad',
};

export function StatusBadge({ status }: { status: CallStatus }) {
  const tone = tones[status];
  return (
    <Badge dot {...(tone !== undefined && { tone })}>
      {status}
    </Badge>
  );
}
