import type { ComponentChildren } from 'preact';
import { Icon, type IconName } from './icon.tsx';

export type Tone = 'good' | 'warn' | 'bad' | 'info';

export function Panel({
  title,
  aside,
  children,
}: {
  title?: string;
  aside?: ComponentChildren;
  children: ComponentChildren;
}) {
  return (
    <section class="panel" aria-label={title}>
      {title !== undefined && (
        <div class="panel-head">
          <h2>{title}</h2>
          {aside}
        </div>
      )}
      {children}
    </section>
  );
}

export function Badge({ tone, dot, children }: { tone?: Tone | 'accent'; dot?: boolean; children: ComponentChildren }) {
  return <span class={`badge ${tone ?? ''} ${dot === true ? 'dot' : ''}`}>{children}</span>;
}

/** Whether calls go on, of a function or of a flow key. */
export function PausedBadge({ paused }: { paused: boolean }) {
  return paused ? (
    <Badge tone="warn" dot>
      Paused
    </Badge>
  ) : (
    <Badge tone="good" dot>
      Active
    </Badge>
  );
}

const icons: Readonly<Record<Tone, IconName>> = { good: 'good', warn: 'warn', bad: 'bad', info: 'info' };

interface NoticeProps {
  readonly tone: Tone;
  readonly title: string;
  readonly children?: ComponentChildren;
  /** A link or a button: the way out. */
  readonly action?: ComponentChildren;
}

export function Notice({ tone, title, children, action }: NoticeProps) {
  return (
    <div class={`notice ${tone}`}>
      <Icon name={icons[tone]} />
      <div>
        <strong>{title}</strong>
        {children !== undefined && <p>{children}</p>}
      </div>
      {action}
    </div>
  );
}

/** What has gone wrong, which a screen reader tells at once. */
export function Trouble(notice: Omit<NoticeProps, 'tone'>) {
  return (
    <div role="alert">
      <Notice tone="bad" {...notice} />
    </div>
  );
}

export interface FigureProps {
  readonly label: string;
  readonly value: ComponentChildren;
  readonly unit?: string;
}

/** Numbers that matter most, side by side. */
export function Figures({ figures }: { figures: readonly FigureProps[] }) {
  return (
    <dl class="figures">
      {figures.map(({ label, value, unit }) => (
        <div class="figure" key={label}>
          <dt>{label}</dt>
          <dd>
            {value}
            {unit !== undefined && <small> {unit}</small>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** What a newcomer sees where there is nothing yet, and what to do next. */
export function Empty({
  title,
  children,
  action,
}: {
  title: string;
  children: ComponentChildren;
  action?: ComponentChildren;
}) {
  return (
    <div class="empty">
      <h2>{title}</h2>
      <p>{children}</p>
      {action}
    </div>
  );
}

export interface Fact {
  readonly name: string;
  readonly value: ComponentChildren;
}

export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(({ name, value }) => [<dt key={`${name}:`}>{name}</dt>, <dd key={name}>{value}</dd>])}
    </dl>
  );
}
