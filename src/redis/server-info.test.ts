import { expect, it } from 'vitest';
import { readInfo } from './server-info.ts';

it('reads what a server says, and knows nothing of what it does not say', () => {
  const valkey =
    '# Server\r\nredis_version:7.2.4\r\nserver_name:valkey\r\nvalkey_version:8.1.1\r\nuptime_in_seconds:12\r\n';
  expect(readInfo(`${valkey}# Replication\r\nrole:slave\r\nconnected_slaves:0\r\nmaxmemory_policy:\r\n`)).toEqual({
    server: 'valkey 8.1.1',
    uptime: 12_000,
    role: 'replica',
    replicas: 0,
    evictionPolicy: '',
    ...{ memoryUsed: undefined, memoryMost: undefined, clients: undefined },
    ...{ hits: undefined, misses: undefined, evicted: undefined, expired: undefined },
  });
  expect(readInfo('').server).toBe('redis of an unknown version');
  expect(readInfo('used_memory:many\nmaxmemory:0\n')).toMatchObject({ memoryUsed: undefined, memoryMost: 0 });
});
