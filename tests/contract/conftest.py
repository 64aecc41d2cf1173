"""A running sandbox with the small world, and one whose Jira is Cloud's."""

from tests.contract.world import serve_world

sandbox = serve_world()
cloud = serve_world(flavour="cloud")
