import type { Cache, Query } from 'tidemark';
import type { Sql } from './database.ts';
import { statement } from './statement.ts';

/** One branch's targets and results in one month. */
interface BudgetRow {
  branchId: string;
  branchName: string;
  period: string;
  revenueTarget: number | null;
  cogsTarget: number | null;
  expenseTarget: number | null;
  revenue: number;
  cogs: number;
  expenses: number;
  revenuePercentOfTarget: number | null;
}

/** An organisation in one month, with its stock, orders and transfers as they are now. */
interface Overview {
  period: string;
  branches: number;
  orders: number;
  revenue: number;
  cogs: number;
  expenses: number;
  netProfit: number;
  revenueGrowthPercent: number | null;
  stockValue: number;
  onOrderValue: number;
  openPurchaseOrders: number;
  nextPurchaseOrder: string | null;
  transfers: number;
  transferredUnits: number;
  inventoryAdjustments: number;
  adjustedUnits: number;
}

/** One branch among the others of its organisation. */
interface RankingRow {
  rank: number;
  branchId: string;
  branchName: string;
  period: string;
  grossMarginPerStock: number | null;
  stockValue: number;
  revenue: number;
  netProfit: number;
  rankByRevenue: number;
}

/** What is expected of one branch. */
interface ForecastRow {
  branchId: string;
  branchName: string;
  revenueTrendPerMonth: number;
  months: { period: string; revenue: number }[];
  inventoryPosition: number;
  daysOfCover: number | null;
}

/** The four cached queries. Each is kept under `<name>:<organisation>:...`, so that one prefix is one organisation's. */
export interface Reports {
  readonly budgets: Query<[orgId: string, period: string], BudgetRow[]>;
  readonly overview: Query<[orgId: string, period: string], Overview>;
  readonly rankings: Query<[orgId: string, period: string], RankingRow[]>;
  readonly forecast: Query<[orgId: string], ForecastRow[]>;
}

/** Declares the four queries. Nothing is read before somebody asks. */
export function createReports(cache: Cache, sql: Sql): Reports {
  const budgets = statement<BudgetRow>(sql, 'budgets');
  const overview = statement<Overview>(sql, 'overview');
  const rankings = statement<RankingRow>(sql, 'rankings');
  const forecast = statement<ForecastRow>(sql, 'forecast');
  return {
    budgets: cache.query({
      name: 'fr:budgets',
      load: (orgId: string, period: string) => budgets.all(orgId, period),
      ttl: '5m',
      tags: (orgId) => [`org:${orgId}`],
    }),
    overview: cache.query({
      name: 'fr:overview',
      load: (orgId: string, period: string) => overview.one(orgId, period),
      ttl: '5m',
      tags: (orgId) => [`org:${orgId}`],
    }),
    rankings: cache.query({
      name: 'fr:rankings',
      load: (orgId: string, period: string) => rankings.all(orgId, period),
      ttl: '5m',
      tags: (orgId) => [`org:${orgId}`],
    }),
    forecast: cache.query({
      name: 'fr:forecast',
      load: (orgId: string) => forecast.all(orgId),
      ttl: '5m',
      tags: (orgId) => [`org:${orgId}`],
    }),
  };
}
