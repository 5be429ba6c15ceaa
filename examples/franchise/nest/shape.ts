import type { PipeTransform } from '@nestjs/common';
import { Ajv, type ValidateFunction } from 'ajv';
import { invalid } from '../domain/validation.ts';

const ajv = new Ajv({ verbose: true });

/** A part of a request as its schema describes it. A wrong type is said to be wrong, not converted. */
export class Shape implements PipeTransform {
  readonly #part: string;
  readonly #validate: ValidateFunction;

  /** @param part `body`, `querystring` or `params`, for the message */
  constructor(part: string, schema: object) {
    this.#part = part;
    this.#validate = ajv.compile(schema);
  }

  /** @throws Problem 400, naming the field and the cure */
  transform(value: unknown): unknown {
    if (this.#validate(value)) return value;
    throw invalid(this.#validate.errors ?? [], this.#part);
  }
}
