@echo off
rem ./pixiw on Windows: with the Python launcher, else with the python on PATH.
setlocal
set "PYTHON=py -3"
%PYTHON% -c "" >nul 2>nul || set "PYTHON=python"
%PYTHON% -c "" >nul 2>nul || (echo pixiw: no Python found: install 3.11 to 3.14 from python.org, or install pixi from pixi.sh 1>&2 & exit /b 1)
%PYTHON% "%~dp0pixiw" %*
exit /b %errorlevel%
