import type { Server } from 'node:http';
import express from 'express';
import type { Database } from '../../test/newcomer/database.ts';

export function serve(db: Database, port: number): Server {
  const app = express();
  app.use(express.json());

  app.get('/users/:id', async (req, res) => {
    const { id } = req.params;
    res.json(await db.user(id));
  });

  app.put('/users/:id', async (req, res) => {
    const { id } = req.params;
    await db.rename(id, (req.body as { name: string }).name);
    res.json({ id });
  });

  return app.listen(port, '127.0.0.1');
}
