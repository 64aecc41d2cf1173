"""The unit's static site: what lies under `public/` is all its state.

index.html  404.html  .htaccess  assets/  catalogue/  results/      made by `build.build_site`
reports/<slug>/<edition>/                                 put there by `publish.publish_report`
"""
