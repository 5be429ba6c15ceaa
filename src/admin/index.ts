export type { Access, AccessFunction, TokenAccess, Tokens } from './access.ts';
export { type Admin, createAdmin } from './admin.ts';
export type { AdminOptions } from './admin-options.ts';
export type { PrometheusText } from './admin-parts.ts';
export type { AuditEntry } from './audit.ts';
export type { Caller, Peer } from './caller.ts';
export type { NodeListener } from './node-listener.ts';
export type { Required as RouteRole, Role } from './role.ts';
export type { Route } from './route.ts';
