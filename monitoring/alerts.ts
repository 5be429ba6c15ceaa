import type { AlertGroup } from './alert.ts';
import { dependencyAlerts, serverAlerts } from './dependency-alerts.ts';
import { invalidationAlerts, nodeAlerts } from './node-alerts.ts';
import { consistencyAlerts, readAlerts } from './read-alerts.ts';

/** All alerts. */
export const alertGroups: readonly AlertGroup[] = [
  nodeAlerts,
  readAlerts,
  consistencyAlerts,
  invalidationAlerts,
  serverAlerts,
  dependencyAlerts,
];
