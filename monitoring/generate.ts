import { writeFileSync } from 'node:fs';
import { alertsFile } from './alerts-file.ts';
import { dashboardFile } from './dashboard.ts';

// `npm run monitoring`: writes what Prometheus and Grafana load.

const write = (name: string, content: string): void => writeFileSync(new URL(name, import.meta.url), content);

write('tidemark-alerts.yml', alertsFile());
write('tidemark-dashboard.json', dashboardFile());
