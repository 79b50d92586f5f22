// Search: `GET /system/calls`, its filters and its cursor.

export { parseFilter, parseFunction, refuseUnknown } from './parse-filter.ts';
export { type SearchRouteOptions, searchRoutes } from './search.ts';
export { createSearchComponent } from './search-component.ts';
