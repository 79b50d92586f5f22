// The frame of the console: signing in, navigation, and which page is shown.

export { App } from './app.tsx';
