export {
  createRules,
  type DomainEvent,
  type Invalidator,
  type RuleMap,
  type Rules,
  type RulesOptions,
  type Targets,
} from './rules.ts';
