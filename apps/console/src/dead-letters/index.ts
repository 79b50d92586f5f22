// Failed calls and callbacks, grouped by what went wrong; replayed and dropped.

export { DeadLettersPage } from './dead-letters-page.tsx';
