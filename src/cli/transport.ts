/** How a command reaches the API. */
export interface Transport {
  /** What to call it in messages. */
  readonly where: string;
  /** Whether it reads a fleet's own keys, as no node of it: what only a node knows of itself is not there. */
  readonly fleet: boolean;
  fetch(path: string, init: RequestInit): Promise<Response>;
  close(): Promise<void>;
}

/** @param base with the path that the API is mounted at; @param token sent with each request */
export function httpTransport(base: URL, token: string | undefined): Transport {
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const folder = new URL(base);
  folder.pathname = folder.pathname.replace(/\/*$/, '/');
  return {
    where: folder.href.replace(/\/$/, ''),
    fleet: false,
    // A token is for this server alone: whoever redirects does not get it.
    fetch: (path, init) =>
      fetch(new URL(path.replace(/^\//, ''), folder), {
        ...init,
        redirect: 'error',
        headers: { ...(init.headers as Record<string, string> | undefined), ...authorization },
      }),
    close: () => Promise.resolve(),
  };
}
