#!/bin/sh
# What is LTS, nodejs.org knows.
mise use --global node@lts
npm_for_user
