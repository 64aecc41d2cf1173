// Bundles lib/, which tsc makes of src/, into ../labextension, as JupyterLab loads extensions: a
// module federation container, beside a package.json that names it. JupyterLab's own builder needs
// a newer node than Debian 12 has; this needs 18. What JupyterLab has already comes from there.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import webpack from 'webpack';

const here = dirname(fileURLToPath(import.meta.url));
const described = JSON.parse(readFileSync(join(here, 'package.json'), 'utf8'));
const target = resolve(here, '../labextension', described.name);
const building = `${target}.building`;

const shared = Object.fromEntries(
  Object.keys(described.devDependencies)
    .filter(name => /^@(jupyterlab|lumino|codemirror)\/|^@jupyter\/ydoc$|^react(-dom)?$/.test(name))
    .map(name => [name, { import: false, singleton: true, requiredVersion: false }])
);

const config = {
  mode: 'production',
  context: here,
  entry: {},
  target: ['web', 'es2021'],
  devtool: false,
  // It comes from this machine, or through a tunnel once: what is spared is the time to build it.
  optimization: { minimize: false },
  output: {
    path: join(building, 'static'),
    publicPath: 'auto',
    filename: '[name].[contenthash].js',
    chunkFilename: '[name].[contenthash].js',
    uniqueName: described.name
  },
  module: { rules: [{ test: /\.(css|svg)$/, type: 'asset/source' }] },
  plugins: [
    new webpack.container.ModuleFederationPlugin({
      name: described.name,
      library: { type: 'var', name: ['_JUPYTERLAB', described.name] },
      filename: 'remoteEntry.js',
      exposes: { './extension': './lib/index.js' },
      shared
    })
  ]
};

rmSync(building, { recursive: true, force: true });
const stats = await new Promise((done, failed) =>
  webpack(config, (error, found) => (error ? failed(error) : done(found)))
);
if (stats.hasErrors()) {
  console.error(stats.toString({ preset: 'errors-only' }));
  process.exit(1);
}

// The server lets browsers keep these files: a new one has a new name.
const folder = join(building, 'static');
const digest = createHash('sha256');
for (const name of readdirSync(folder).sort()) digest.update(readFileSync(join(folder, name)));
const entry = `remoteEntry.${digest.digest('hex').slice(0, 20)}.js`;
renameSync(join(folder, 'remoteEntry.js'), join(folder, entry));
const { name, version, description, license, jupyterlab } = described;
const _build = { load: `static/${entry}`, extension: './extension' };
const told = { name, version, description, license, jupyterlab: { ...jupyterlab, _build } };
writeFileSync(join(building, 'package.json'), `${JSON.stringify(told, null, 2)}\n`);

writeFileSync(join(building, 'third-party-licenses.txt'), gatherLicenses(stats.compilation));

// Whoever looks finds all of the old one or all of the new one.
mkdirSync(dirname(target), { recursive: true });
rmSync(target, { recursive: true, force: true });
renameSync(building, target);

/** Return the licences of all packages of which something is in the bundle. */
function gatherLicenses({ fileDependencies }) {
  const modules = join(here, 'node_modules');
  const used = new Set();
  for (const file of fileDependencies) {
    const [, name] = /^((?:@[^/]+\/)?[^/]+)\/.+\.(?:m?js|css|svg)$/.exec(relative(modules, file)) ?? [];
    if (name && name !== '..') used.add(name);
  }
  return [...used].sort().map(name => {
    const folder = join(modules, name);
    const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
    const files = readdirSync(folder).filter(one => /^(licen[cs]e|notice|copying)/i.test(one));
    const texts = files.map(one => readFileSync(join(folder, one), 'utf8').trim());
    return `== ${name} ${version}: ${license ?? 'see below'}\n\n${texts.join('\n\n')}\n`;
  }).join('\n');
}
