// Search: `GET /system/calls`, its filters and its cursor.

export { type SearchRouteOptions, searchRoutes } from './search.ts';
