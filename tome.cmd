@echo off
rem Runs tome4j's program on Windows, and builds it first if it has not been. Written without a Windows to try it on.
rem After a change of the sources, delete distribution\target\class-path to have it built anew.
setlocal
set "HOME_DIR=%~dp0"
set "TARGET=%HOME_DIR%distribution\target"
if not exist "%TARGET%\class-path" (
    echo tome: not built yet; building tome4j. 1>&2
    pushd "%HOME_DIR%"
    call mvn -q -B -pl distribution -am package -Dmaven.test.skip=true -Dwarnings=-nowarn -Denforcer.skip=true -Dspotless.check.skip=true 1>&2 || (popd & exit /b 1)
    popd
)
for /f "usebackq delims=" %%L in ("%TARGET%\class-path") do set "CLASSES=%%L"
set "CLASSPATH=%CLASSES%"
java -XX:+UseSerialGC -Djava.awt.headless=true -Dfile.encoding=UTF-8 io.tome4j.cli.Tome %*
exit /b %ERRORLEVEL%
