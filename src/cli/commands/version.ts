import { type Command, command } from '../command.ts';
import { version as versionOf } from '../version.ts';

const args = { json: { type: 'boolean', description: 'JSON for scripts' } } as const;

/** `tidemark version` */
export const version: Command<typeof args> = command({
  name: 'version',
  description: 'Says which release this is, and which Node runs it',
  args,
  examples: [['tidemark version', 'tidemark 0.1.0, Node 20.19.0, linux x64']],
  run: ({ json }) => {
    const { version: node, platform, arch } = process;
    const facts = { tidemark: versionOf(), node: node.slice(1), platform, arch };
    const said =
      json === true ? JSON.stringify(facts) : `tidemark ${facts.tidemark}, Node ${facts.node}, ${platform} ${arch}`;
    process.stdout.write(`${said}\n`);
    return Promise.resolve();
  },
});
