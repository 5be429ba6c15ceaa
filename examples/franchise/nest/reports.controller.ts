import { Controller, Get, Inject, Query } from '@nestjs/common';
import { type Answer, answer, lastPeriod } from '../domain/answer.ts';
import type { Reports } from '../domain/reports.ts';
import { fields, period } from '../domain/validation.ts';
import { OrgId } from './org-id.ts';
import { REPORTS } from './providers.ts';
import { Shape } from './shape.ts';

const ofPeriod = new Shape('querystring', fields({ period }));
const ofAnyPeriod = new Shape('querystring', fields({ period }, 'optional'));
const ofNothing = new Shape('querystring', fields({}));

/** What can be read, all of it for the organisation of the caller's token. */
@Controller('franchise')
export class ReportsController {
  readonly #reports: Reports;

  constructor(@Inject(REPORTS) reports: Reports) {
    this.#reports = reports;
  }

  @Get('budgets')
  async budgets(@OrgId() orgId: string, @Query(ofPeriod) query: { period: string }): Promise<Answer<unknown>> {
    return answer(await this.#reports.budgets.read(orgId, query.period));
  }

  @Get('overview')
  async overview(@OrgId() orgId: string, @Query(ofAnyPeriod) query: { period?: string }): Promise<Answer<unknown>> {
    return answer(await this.#reports.overview.read(orgId, query.period ?? lastPeriod));
  }

  @Get('rankings')
  async rankings(@OrgId() orgId: string, @Query(ofAnyPeriod) query: { period?: string }): Promise<Answer<unknown>> {
    return answer(await this.#reports.rankings.read(orgId, query.period ?? lastPeriod));
  }

  @Get('forecast')
  async forecast(@OrgId() orgId: string, @Query(ofNothing) _query: object): Promise<Answer<unknown>> {
    return answer(await this.#reports.forecast.read(orgId));
  }
}
