/** In the order of starting: each asks only those before it. */
export const serviceNames = ['user', 'content', 'feed', 'gateway'] as const;

export type ServiceName = (typeof serviceNames)[number];
