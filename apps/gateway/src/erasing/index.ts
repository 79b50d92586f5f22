// Erases what is kept of an ended call: `DELETE /system/calls/CALL-ID`.

export { type ErasingOptions, erasingRoutes } from './erasing.ts';
