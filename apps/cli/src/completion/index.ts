// Completion in shells: their scripts ask the hidden command `complete` for the words that may come next.

export { completeCommand, completionCommand } from './completion-commands.ts';
