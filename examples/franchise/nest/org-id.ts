import { type CanActivate, createParamDecorator, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Tenants } from '../domain/tenants.ts';

/** What Express and Fastify have in common. */
interface Request {
  readonly headers: Readonly<Record<string, string | undefined>>;
  orgId?: string;
}

/** Nobody gets in without the token of an organisation. */
@Injectable()
export class TenantGuard implements CanActivate {
  readonly #tenants: Tenants;

  constructor(@Inject(Tenants) tenants: Tenants) {
    this.#tenants = tenants;
  }

  canActivate(context: ExecutionContext): true {
    const request = context.switchToHttp().getRequest<Request>();
    request.orgId = this.#tenants.organisation(request.headers['authorization']);
    return true;
  }
}

/** The organisation that the caller's token speaks for. */
export const OrgId = createParamDecorator((_: unknown, context: ExecutionContext) => {
  return context.switchToHttp().getRequest<Request>().orgId;
});
