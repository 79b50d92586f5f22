// The names of all settings, and which one a misspelt name may mean.

export { findMisspelt } from './misspelt.ts';
