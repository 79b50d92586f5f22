/** Outlines on a grid of 24, drawn with the colour of the text. */
const paths = {
  good: 'M5 12.5l4.5 4.5L19 7.5',
  warn: 'M12 8v5m0 3.5v.01M10.3 4.2L2.6 17.5A2 2 0 0 0 4.3 20.5h15.4a2 2 0 0 0 1.7-3L13.7 4.2a2 2 0 0 0-3.4 0z',
  bad: 'M12 7.5v5.5m0 3.5v.01M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18z',
  info: 'M12 11.5v5m0-8.5v.01M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18z',
  queue: 'M4 6.5h10M4 12h7M4 17.5h10M16 9l4 3-4 3',
} as const;

export type IconName = keyof typeof paths;

/** Decoration: what it means is said in words beside it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg
      viewBox="0 0 24 24"
      width="24"
      height="24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      <path d={paths[name]} />
    </svg>
  );
}
