import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { UnsupportedMediaTypeException } from '@nestjs/common';

/** Bodies of any other type are refused with 415. */
export class JsonOnlyGuard implements CanActivate {
  canActivate(context: ExecutionContext): true {
    const { headers } = context.switchToHttp().getRequest<{ headers: Readonly<Record<string, string | undefined>> }>();
    const type = headers['content-type'];
    if (type === undefined || /^application\/json\b/i.test(type)) return true;
    throw new UnsupportedMediaTypeException(`The content type ${type.slice(0, 60)} is not known here.`);
  }
}
