// A tile in the launcher for each template of the catalogue; it opens the template's form.

import { ICommandPalette, MainAreaWidget, ReactWidget } from '@jupyterlab/apputils';
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';
import { LabIcon, pythonIcon, rKernelIcon } from '@jupyterlab/ui-components';
import { createElement } from 'react';

import { Problem, type TemplateTile } from '../api';
import { CATEGORY, IBench, type Bench } from '../bench';
import { TemplateForm } from './form';

const OPEN = 'wardbook:template';

export const launcher: JupyterFrontEndPlugin<void> = {
  id: 'wardbook-bench:launcher',
  autoStart: true,
  requires: [IBench, ILauncher],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    bench: Bench,
    launcher: ILauncher,
    palette: ICommandPalette | null
  ) => {
    // JupyterLab does not wait for the catalogue.
    bench.api
      .templates()
      .then(tiles => addTiles(app, bench, tiles, launcher, palette))
      .catch(problem => bench.showProblem(problem));
  }
};

function addTiles(
  app: JupyterFrontEnd,
  bench: Bench,
  tiles: TemplateTile[],
  launcher: ILauncher,
  palette: ICommandPalette | null
): void {
  const find = (name: unknown): TemplateTile | undefined => tiles.find(one => one.name === name);
  app.commands.addCommand(OPEN, {
    label: args => find(args['template'])?.title ?? CATEGORY,
    caption: args => find(args['template'])?.summary ?? '',
    icon: args => iconOf(find(args['template'])),
    isVisible: args => find(args['template']) !== undefined,
    execute: args => {
      const tile = find(args['template']);
      if (tile === undefined) {
        throw new Problem(bench.say('launcher_unknown'));
      }
      return openForm(app, bench, tile);
    }
  });
  tiles.forEach((tile, rank) => {
    const item = { command: OPEN, category: CATEGORY, args: { template: tile.name }, rank };
    launcher.add(item);
    palette?.addItem(item);
  });
}

function iconOf(tile: TemplateTile | undefined): LabIcon {
  return tile?.kernel === 'ir' ? rKernelIcon : pythonIcon;
}

/** Show a template's form as a tab; the one that is open, where there is one. */
function openForm(app: JupyterFrontEnd, bench: Bench, tile: TemplateTile): MainAreaWidget {
  const id = `wardbook-template-${tile.name}`;
  for (const open of app.shell.widgets('main')) {
    if (open.id === id) {
      app.shell.activateById(id);
      return open as MainAreaWidget;
    }
  }
  const content = ReactWidget.create(createElement(TemplateForm, { tile, bench }));
  content.addClass('wb-Form-scroller');
  const tab = new MainAreaWidget({ content });
  tab.toolbar.hide();
  tab.id = id;
  tab.title.label = tile.title;
  tab.title.caption = tile.summary;
  tab.title.icon = iconOf(tile);
  app.shell.add(tab, 'main');
  app.shell.activateById(id);
  return tab;
}
