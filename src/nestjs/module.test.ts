import { Controller, Get, HttpCode, Inject, Module, Param, Post, type ModuleMetadata } from '@nestjs/common';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createNest, type Platform, platforms, startNest } from '../../test/servers/nest-app.ts';
import { type Cache, createCache } from '../cache/cache.ts';
import { key } from '../coherence/target.ts';
import { Cached, cacheToken, InjectCache, Invalidates, TidemarkModule } from './index.ts';

let close: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const it of close.toReversed()) await it();
  close = [];
});

async function start(metadata: ModuleMetadata, platform: Platform = 'Express') {
  const running = await startNest(metadata, platform);
  close.push(() => running.app.close());
  return running;
}

/** The table behind the service. */
class Books {
  readonly titles = new Map([['1', 'Emma']]);
  reads = 0;
}

class BookService {
  readonly books: Books;
  constructor(@Inject(Books) books: Books) {
    this.books = books;
  }

  @Cached({ name: 'books', ttl: '5m' })
  async find(id: string): Promise<{ title: string } | null> {
    this.books.reads++;
    const title = this.books.titles.get(id);
    return title === undefined ? null : { title };
  }

  @Invalidates(([id]) => key('books', id))
  async rename(id: string, title: string): Promise<void> {
    if (title === 'refused') throw new Error('refused');
    this.books.titles.set(id, title);
  }
}

@Controller('books')
class BookController {
  readonly #books: BookService;
  constructor(@Inject(BookService) books: BookService) {
    this.#books = books;
  }

  @Get(':id')
  find(@Param('id') id: string) {
    return this.#books.find(id);
  }

  @Post(':id/:title')
  @HttpCode(200)
  async rename(@Param('id') id: string, @Param('title') title: string) {
    await this.#books.rename(id, title);
    return {};
  }
}

const bookshop: ModuleMetadata = { providers: [Books, BookService], controllers: [BookController] };

describe.each(Object.keys(platforms) as Platform[])('on %s', (platform) => {
  it('serves from the cache over HTTP until a change has succeeded, and ends with the application', async () => {
    const { app, url } = await start({ ...bookshop, imports: [TidemarkModule.forRoot({ name: 'shop' })] }, platform);
    const get = async () => (await fetch(`${url}/books/1`)).json();
    const books = app.get(Books);
    expect([await get(), await get()]).toEqual([{ title: 'Emma' }, { title: 'Emma' }]);
    expect(books.reads).toBe(1);

    expect((await fetch(`${url}/books/1/refused`, { method: 'POST' })).status).toBe(500);
    await get();
    expect(books.reads).toBe(1);

    expect((await fetch(`${url}/books/1/Persuasion`, { method: 'POST' })).status).toBe(200);
    expect(await get()).toEqual({ title: 'Persuasion' });
    expect(books.reads).toBe(2);

    const cache = app.get<Cache>(cacheToken());
    await app.close();
    await expect(cache.get('books:1')).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('answers what it was asked before it was told to end, then sends what it invalidated', async () => {
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => (open = resolve));
    let asked = false;
    class Slow extends BookService {
      @Invalidates(([id]) => key('books', id))
      override async rename(id: string, title: string): Promise<void> {
        asked = true;
        await gate;
        await super.rename(id, title);
      }
    }
    const { app, url } = await start(
      {
        providers: [Books, { provide: BookService, useClass: Slow }],
        controllers: [BookController],
        imports: [TidemarkModule.forRoot({ name: 'shop' })],
      },
      platform,
    );
    const heard = vi.fn();
    app.get<Cache>(cacheToken()).on((event) => {
      if (event.type === 'invalidated') heard(event.receipt.status);
    });
    const last = fetch(`${url}/books/1/Persuasion`, { method: 'POST', headers: { connection: 'close' } });
    await vi.waitUntil(() => asked);
    const closing = app.close();
    open();
    expect((await last).status).toBe(200);
    await closing;
    expect(heard.mock.calls).toEqual([['applied'], ['applied']]);
  });
});

describe('TidemarkModule', () => {
  it('takes its options from other providers', async () => {
    class Settings {
      readonly cacheName = 'configured';
    }
    @Module({ providers: [Settings], exports: [Settings] })
    class SettingsModule {}
    const { app } = await start({
      imports: [
        TidemarkModule.forRootAsync({
          imports: [SettingsModule],
          inject: [Settings],
          useFactory: async (settings: Settings) => ({ name: settings.cacheName }),
        }),
      ],
    });
    expect(app.get<Cache>(cacheToken()).name).toBe('configured');
  });

  it('does not end a cache that it was handed', async () => {
    const cache = createCache({ name: 'shop' });
    close.push(() => cache.close());
    const { app } = await start({ ...bookshop, imports: [TidemarkModule.forRoot({ cache })] });
    expect(app.get(cacheToken())).toBe(cache);
    await app.get(BookService).find('1');
    await app.close();
    expect(await cache.get('books:1')).toEqual({ title: 'Emma' });
  });

  it('gives several caches, by their names', async () => {
    class Two {
      readonly usual: Cache;
      readonly other: Cache;
      constructor(@InjectCache() usual: Cache, @InjectCache('audit') other: Cache) {
        this.usual = usual;
        this.other = other;
      }

      @Cached()
      async find(id: string) {
        return id;
      }

      @Cached({ cache: 'audit', name: 'entries' })
      async entry(id: string) {
        return id;
      }
    }
    const { app } = await start({
      imports: [TidemarkModule.forRoot({ name: 'shop' }), TidemarkModule.forRoot({ name: 'log', as: 'audit' })],
      providers: [Two],
    });
    const two = app.get(Two);
    expect([two.usual.name, two.other.name]).toEqual(['shop', 'log']);
    await two.find('1');
    await two.entry('2');
    expect([await two.usual.get('Two:find:1'), await two.usual.get('entries:2')]).toEqual(['1', undefined]);
    expect([await two.other.get('Two:find:1'), await two.other.get('entries:2')]).toEqual([undefined, '2']);
  });

  it('may be kept to the modules that import it', async () => {
    @Module({
      imports: [TidemarkModule.forRoot({ name: 'shop', isGlobal: false })],
      providers: [Books, BookService],
      exports: [BookService],
    })
    class Inner {}
    const { app } = await start({ imports: [Inner] });
    expect(await app.get(BookService).find('1')).toEqual({ title: 'Emma' });
    class Outer {
      readonly cache: Cache;
      constructor(@InjectCache() cache: Cache) {
        this.cache = cache;
      }
    }
    await expect(createNest({ imports: [Inner], providers: [Outer] })).rejects.toThrow('TIDEMARK_CACHE');
  });

  it('fails the start of the application for wrong options', async () => {
    const wrong = createNest({ imports: [TidemarkModule.forRoot({ name: 'shop', maxLagg: 1 } as never)] });
    await expect(wrong).rejects.toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining('maxLagg') });
  });

  it('writes to the log of the application', async () => {
    const lines: string[] = [];
    const { app } = await start({ ...bookshop, imports: [TidemarkModule.forRoot({ name: 'shop' })] });
    const write = (message: unknown) => lines.push(String(message));
    app.useLogger({ log: write, error: write, warn: write });
    await app.get(BookService).rename('1', 'Persuasion');
    expect(lines.join('\n')).toContain('cache_bust');
    app.useLogger(false);
  });
});
